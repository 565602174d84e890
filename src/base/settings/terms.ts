/** What the settings of several rooms are made of. */
import { z } from 'zod'
import { urlFault } from '../index.ts'

/** The name of something in the settings: a line, a flow, a back end. */
export const settingName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'lower-case letters, digits and hyphens, a letter first')

export const ms = (least: number, most: number) => z.number().int().min(least).max(most)

export const msisdnPrefix = z
  .string()
  .regex(/^[1-9]\d{0,14}$/, 'the first digits of an international number, such as "675"')

/** An address that leads where it says: see `urlFault`. */
export const httpUrl = z
  .string()
  .max(2_000)
  .superRefine((written, issue) => {
    const message = urlFault(written)
    if (message !== undefined) issue.addIssue({ code: 'custom', message })
  })
