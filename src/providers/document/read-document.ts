// Owns what a document has to be: within its bounds, of its form, and of parts that fit together.
import { z } from 'zod'
import { boundsProblem } from './bounds.ts'
import { checkParts } from './check.ts'
import { documentForm, type ProviderDocument } from './document.ts'

/** What `PUT /v1/providers/{name}` accepts. Each error names its place in the document. */
export const documentSchema: z.ZodType<ProviderDocument, unknown> = z
  .unknown()
  .superRefine((given, context) => {
    const problem = boundsProblem(given)
    if (problem !== null) context.addIssue({ code: 'custom', ...problem })
  })
  .pipe(
    documentForm.superRefine((document, context) => {
      for (const { path, message } of checkParts(document)) context.addIssue({ code: 'custom', path, message })
    }),
  )
