/** The guide of dialects has every key of a profile. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { dialectProfile } from '../../../src/smpp/dialect/schema.ts'

describe('docs/DIALECTS.md', () => {
  it('mentions every key of a profile, as code', () => {
    const guide = readFileSync(new URL('../../../docs/DIALECTS.md', import.meta.url), 'utf8')
    const words = new Set([...guide.matchAll(/`([^`\n]+)`/g)].flatMap(([, code]) => (code as string).split(/[^\w-]+/)))
    const keys = new Set<string>()
    const collect = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return
      for (const [name, value] of Object.entries(node)) {
        if (name === 'properties') for (const key of Object.keys(value as object)) keys.add(key)
        collect(value)
      }
    }
    collect(z.toJSONSchema(dialectProfile, { unrepresentable: 'any', io: 'input' }))
    assert.ok(keys.size > 80, `${keys.size} keys`)
    const groups = [
      'inbound',
      'outbound',
      'responses',
      'limits',
      'bind',
      'push',
      'code',
      'text',
      'addr',
      'actions',
      'session',
    ]
    assert.deepEqual(
      [...keys].filter((key) => !words.has(key) && !groups.includes(key)),
      [],
    )
  })
})
