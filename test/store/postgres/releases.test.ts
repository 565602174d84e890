/** What operators decided about flows, as each daemon reads it every few seconds. */
import assert from 'node:assert/strict'
import { publishing, trying, type Decided, type Release } from '../../../src/flow/release/index.ts'
import { flowReleases } from '../../../src/store/postgres/releases.ts'
import { describeBoth } from '../../support/postgres.ts'

describeBoth('decisions about flows', (database) => {
  let decided: Decided

  before(() => {
    decided = flowReleases(database.db)
  })

  it('are none at first', async () => {
    assert.deepEqual(await decided.read(), { releases: new Map(), recalls: new Map() })
  })

  it('are read as they were written: releases, trials and recalls', async () => {
    await decided.change('dental', (now) => ({ release: { ...publishing(now, 'dental@1', 'dental@2'), by: 'ana' } }))
    await decided.change('topup', (now) => ({ release: trying(now, 'topup@2', 250, () => 'key') }))
    const texts = { en: 'Sorry', tpi: 'Sori' }
    await decided.change('topup', (now) => ({ release: now, recalls: { revision: 'topup@1', texts } }))
    const { releases, recalls } = await decided.read()
    const plain = ({ changedMs, ...row }: Release) => ({ ...row, isDated: changedMs > 0 })
    assert.deepEqual(
      [...releases.values()].map(plain).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      [
        {
          name: 'dental',
          active: 'dental@1',
          insteadOf: 'dental@2',
          canary: null,
          by: 'ana',
          note: '',
          isDated: true,
        },
        {
          name: 'topup',
          active: null,
          insteadOf: null,
          canary: { revision: 'topup@2', share: 250, key: 'key' },
          by: '',
          note: '',
          isDated: true,
        },
      ],
    )
    assert.deepEqual([...recalls], [['topup@1', { revision: 'topup@1', name: 'topup', texts }]])
  })
})
