/** The JSON Schema of flow files: editors use it to complete keys and to underline errors. */
import { z } from 'zod'
import { KINDS, SCREEN_TYPES, SCREENS, type ScreenTypes } from '../screens/index.ts'
import { BACKEND, CATALOGUE, FLOW, PART } from './schema.ts'

/** Draft 2020-12, for files as they are written: keys with a default may be absent. */
export function flowJsonSchema(types?: ScreenTypes): Record<string, unknown> {
  return jsonSchemaOf(FLOW, 'A flow for ussd-connector', types)
}

/** The same for a part: a file that flows include or call. */
export function partJsonSchema(types?: ScreenTypes): Record<string, unknown> {
  return jsonSchemaOf(PART, 'A part for flows of ussd-connector', types)
}

function jsonSchemaOf(
  file: typeof FLOW | typeof PART,
  title: string,
  types: ScreenTypes = SCREEN_TYPES,
): Record<string, unknown> {
  const added = [...types.values()].filter(({ name }) => !Object.hasOwn(SCREENS, name))
  const screen = z.union([
    ...KINDS.map((kind) => SCREENS[kind].meta({ title: kind })),
    ...added.map(({ name, schema }) => schema.meta({ title: name })),
  ])
  const screens = z
    .record(z.string().regex(/^[a-z][a-z0-9-]*$/), screen)
    .meta({ title: '`{ name: screen }`' })
    .describe('Its screens, by name.')
  const whole = (file as typeof FLOW).extend({ screens }).meta({ title })
  return z.toJSONSchema(whole, { io: 'input', unrepresentable: 'any' }) as Record<string, unknown>
}

/** The same for the file that says what a back end can be asked. */
export function backendJsonSchema(): Record<string, unknown> {
  const file = BACKEND.meta({ title: 'The operations of a back end for ussd-connector' })
  return z.toJSONSchema(file, { io: 'input' }) as Record<string, unknown>
}

/** The same for a catalogue of translations. */
export function catalogueJsonSchema(): Record<string, unknown> {
  const file = CATALOGUE.meta({ title: 'A translation catalogue for ussd-connector' })
  return z.toJSONSchema(file, { io: 'input' }) as Record<string, unknown>
}
