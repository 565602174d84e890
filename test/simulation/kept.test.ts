import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/base/package-root.ts'
import { play } from './history.ts'
import type { Plan } from './plan.ts'

const KEPT = join(packageRoot, 'test/simulation/seeds')

describe('histories that were kept', () => {
  for (const file of readdirSync(KEPT)) {
    it(`the plan that once found: ${file.replace('.json', '').replaceAll('-', ' ')}`, async function () {
      const plan = JSON.parse(readFileSync(join(KEPT, file), 'utf8')) as Plan
      assert.deepEqual((await play(plan)).breaches, [])
    })
  }
})
