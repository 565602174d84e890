/** The settings in force and the source of each value, secrets masked: `ussd-connector config`. */
import { z } from 'zod'
import { secretAt } from './explain.ts'
import { settingsSchema, type Settings } from './schema.ts'
import type { LoadedSettings } from './load.ts'

/** One line per value: `lines.0.smsc.port: 2775   # default`; or all as JSON. */
export function printSettings({ settings, origins }: LoadedSettings, as: 'text' | 'json' = 'text'): string {
  const rows = maskedSettings(settings).map(([key, value]) => ({ key, value, from: origins.get(key) ?? 'default' }))
  if (as === 'text') return rows.map(({ key, value, from }) => `${key}: ${value}`.padEnd(60) + `  # ${from}`).join('\n')
  return JSON.stringify(
    rows.map(({ key, value, from }) => ({ setting: key, value: JSON.parse(value) as unknown, from })),
    null,
    2,
  )
}

/** The settings in force, secrets masked: the path of each value, and the value as JSON. */
export function maskedSettings(settings: Settings): [key: string, value: string][] {
  return leaves(settings, []).map(([path, value]) => [path.join('.'), shown(path, value)])
}

/** The JSON Schema of the settings, for editors. Every key has its reason. */
export function settingsJsonSchema(): unknown {
  return z.toJSONSchema(settingsSchema, { io: 'input', unrepresentable: 'any' })
}

function leaves(value: unknown, path: string[]): [string[], unknown][] {
  if (value === undefined) return []
  if (value !== null && typeof value === 'object' && Object.keys(value).length) {
    return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]))
  }
  return [[path, value]]
}

function shown(path: string[], value: unknown): string {
  if (secretAt(path)) return JSON.stringify(MASK)
  return JSON.stringify(typeof value === 'string' ? withoutSecrets(value) : value)
}

const MASK = '***'

/** An address without its password, and without the values of its query: each of them may be a key. */
export function withoutSecrets(text: string): string {
  const found = /^([a-z][\w+.-]*:\/\/)([^?#]*)(\?[^#]*)?(#.*)?$/is.exec(text)
  if (!found) return text
  const [, scheme, rest = '', query = ''] = found
  // A password may contain any character, also @ and /. So everything before the last @ belongs to it.
  const from = rest.slice(0, rest.lastIndexOf('@') + 1)
  const user = from.includes(':') ? `${from.slice(0, from.indexOf(':'))}:${MASK}@` : from
  return `${scheme}${user}${rest.slice(from.length)}${query.replace(/([^?&=]+=)?[^?&]+/g, (_, name = '') => `${name}${MASK}`)}`
}
