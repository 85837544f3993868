// Owns the list of the vendors that the service knows by documents.
import { aip151 } from './aip151.ts'
import { algolia } from './algolia.ts'
import { auth0 } from './auth0.ts'
import { azure } from './azure.ts'
import { bigquery } from './bigquery.ts'
import { contentful } from './contentful.ts'
import { elasticsearch } from './elasticsearch.ts'
import type { DocumentVendor } from './form.ts'
import { hubspot } from './hubspot.ts'
import { intercom } from './intercom.ts'
import { klaviyo } from './klaviyo.ts'
import { mailchimp } from './mailchimp.ts'
import { marketo } from './marketo.ts'
import type { DocumentVendorName } from './names.ts'
import { salesforce } from './salesforce.ts'
import { sendgrid } from './sendgrid.ts'
import { shopify } from './shopify.ts'
import { zendesk } from './zendesk.ts'

export const documentVendors: Readonly<Record<DocumentVendorName, DocumentVendor>> = {
  salesforce,
  hubspot,
  klaviyo,
  shopify,
  zendesk,
  auth0,
  mailchimp,
  marketo,
  bigquery,
  azure,
  aip151,
  elasticsearch,
  sendgrid,
  intercom,
  contentful,
  algolia,
}
