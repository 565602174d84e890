/** Marks parts of a settings schema as secret, so that code that prints settings needs no list of names. */
import { z } from 'zod'

/**
 * `sure`: the value is a secret, such as a password. Otherwise it may be one: free text of the operator, such as a
 * header for a back end.
 */
export const secretSettings = z.registry<{ sure: boolean }>()
