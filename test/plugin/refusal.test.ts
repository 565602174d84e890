import assert from 'node:assert/strict'
import { moduleBackend } from '../../src/backend/module.ts'
import { Refusal } from '../../src/plugin/module.ts'

describe('a refusal of a module that has its own copy of the plug-in package', () => {
  it('is a refusal, and nothing else is', async () => {
    const url = new URL('../../src/plugin/module.ts?another-copy', import.meta.url).href
    const copy = ((await import(url)) as { Refusal: typeof Refusal }).Refusal
    assert.notEqual(copy, Refusal)
    const refused = new copy('slot-taken', { left: 2 })
    assert.ok(refused instanceof Refusal)
    assert.ok(!({ refusal: 'slot-taken', data: null } instanceof Refusal))
    const backend = moduleBackend('shop', { operations: { take: async () => refused } })
    const context = { signal: new AbortController().signal } as never
    assert.deepEqual(await backend.call('take', {}, context), {
      is: 'refused',
      refusal: 'slot-taken',
      data: { left: 2 },
    })
  })
})
