// Owns the names of the vendors that the service knows by documents.

export const documentVendorNames = [
  'salesforce',
  'hubspot',
  'klaviyo',
  'shopify',
  'zendesk',
  'auth0',
  'mailchimp',
  'marketo',
  'bigquery',
  'azure',
  'aip151',
  'elasticsearch',
  'sendgrid',
  'intercom',
  'contentful',
  'algolia',
] as const

export type DocumentVendorName = (typeof documentVendorNames)[number]
