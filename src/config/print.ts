/** What is in force and where each value came from, secrets masked: `ussd-connector config`. */
import { z } from 'zod'
import { settingsSchema } from './schema.ts'
import type { LoadedSettings } from './load.ts'

const SECRET = /(^|\.)(password|token|secret)$/i

/** One line a value: `lines.0.smsc.port: 2775   # default`. */
export function printSettings(loaded: LoadedSettings): string {
  return leaves(loaded.settings, [])
    .map(([path, value]) => {
      const key = path.join('.')
      return `${key}: ${mask(key, value)}`.padEnd(60) + `  # ${loaded.origins.get(key) ?? 'default'}`
    })
    .join('\n')
}

/** The JSON Schema of the settings, for editors: every key with its reason. */
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

function mask(key: string, value: unknown): string {
  if (SECRET.test(key)) return '"***"'
  if (typeof value === 'string') return JSON.stringify(value.replace(/(:\/\/[^/:@]*:)[^@]+@/, '$1***@'))
  return JSON.stringify(value)
}
