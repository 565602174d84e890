/** What settings of several rooms are made of. */
import { z } from 'zod'

/** What is named in the settings: a line, a flow, a back end. */
export const settingName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'lower-case letters, digits and hyphens, a letter first')

export const ms = (least: number, most: number) => z.number().int().min(least).max(most)

export const msisdnPrefix = z
  .string()
  .regex(/^[1-9]\d{0,14}$/, 'the first digits of an international number, such as "675"')
