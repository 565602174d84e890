/** An address of HTTP in the settings: what stands there is what it leads to. */
import { z } from 'zod'
import { urlFault } from '../base/index.ts'

export const httpUrl = z
  .string()
  .max(2_000)
  .superRefine((written, issue) => {
    const message = urlFault(written)
    if (message !== undefined) issue.addIssue({ code: 'custom', message })
  })
