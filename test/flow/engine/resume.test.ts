import assert from 'node:assert/strict'
import type { Json } from '../../../src/ussd/vocabulary.ts'
import type { CompiledFlow } from '../../../src/flow/engine/types.ts'
import { flowOf, handset } from '../support.ts'

const LANGUAGE = `
  main: { menu: { en: Hello, tpi: Halo }, choices: [{ label: { en: Language, tpi: Tok ples }, to: which }, { label: { en: Exit, tpi: Pinis }, to: out }] }
  which: { language: { en: Which?, tpi: Wanem? }, to: main, back: main }
  out: { exit: true }
`
const TOWNS = `
  main: { menu: Hello, choices: [{ label: Towns, to: all }] }
  all: { call: towns.all, expect: { rows: rows }, to: town, failed: { to: tips, notice: Not now. } }
  town: { list: 'Town?', from: data.all.rows, row: '{row.name}', keep: [id, name], search: [name], to: sure, back: main }
  sure: { menu: 'Pay for {chosen.town.name}?', choices: [{ label: Pay, to: pay }], back: main }
  pay: { call: w.pay, once: true, to: out }
  tips: { menu: Tips, choices: [${Array.from({ length: 12 }, (_, i) => `{ label: A tip of some length no. ${i}, to: out }`).join(', ')}] }
  out: { exit: true }
`
const rows = (n: number) =>
  Array.from({ length: n }, (_, i) => ({ id: i, name: `${i % 2 ? 'Lae' : 'Wau'} ${i} Market Road` }))

function phoneOf(flow: CompiledFlow, known: { rows: Json; down?: boolean } = { rows: [] }) {
  const calls: string[] = []
  const phone = handset(flow, (want) => {
    calls.push(`${want.backend}.${want.operation}`)
    return known.down ? { is: 'failed', why: 'down' } : { is: 'data', data: { rows: known.rows } }
  })
  return { ...phone, calls }
}
const played = async (phone: ReturnType<typeof phoneOf>, ...answers: string[]) => {
  let want = await phone.dial()
  for (const answer of answers) want = await phone.answer(answer)
  return want.text
}
/** What is shown to who goes on with the lost dialogue. */
const takenUp = async (phone: ReturnType<typeof phoneOf>, again: ReturnType<typeof phoneOf>) => {
  assert.match((await again.dial({ resume: phone.snapshot() as never })).text, /^(Welcome back|Welkam bek)/)
  return (await again.answer('1')).text
}

describe('a dialogue that is taken up again', () => {
  it('on the choice of a language shows it as it was, and the choice works', async () => {
    const { flow } = flowOf(LANGUAGE, 'start: main\nlanguages: [en, tpi]')
    const phone = phoneOf(flow)
    const shown = await played(phone, '1')
    const again = phoneOf(flow)
    assert.equal(await takenUp(phone, again), shown)
    assert.match((await again.answer('2')).text, /^Halo/)
    assert.deepEqual(again.calls, ['_subscriber.language'])
  })

  it('after the choice of a language goes on in it', async () => {
    const { flow } = flowOf(LANGUAGE, 'start: main\nlanguages: [en, tpi]')
    const phone = phoneOf(flow)
    await played(phone, '1', '2', '1')
    assert.match(await takenUp(phone, phoneOf(flow)), /^Wanem\?/)
  })

  for (const keys of ['', "\nkeys: { back: '0' }"]) {
    const compiled = () =>
      flowOf(keys === '' ? TOWNS : TOWNS.replaceAll(', back: main', ''), `start: main\nlanguages: [en]${keys}`).flow
    const more = (text: string) => /(\d+)\. More/.exec(text)?.[1] as string
    describe(keys === '' ? 'without keys' : 'with keys', () => {
      it('in a narrowed list shows the same page of it, of rows fetched afresh', async () => {
        const flow = compiled()
        const phone = phoneOf(flow, { rows: rows(40) })
        const first = await played(phone, '1', 'lae')
        assert.equal(await takenUp(phone, phoneOf(flow, { rows: rows(40) })), first)
        const second = (await phone.answer(more(first))).text
        assert.notEqual(second, first)
        const again = phoneOf(flow, { rows: rows(40) })
        assert.equal(await takenUp(phone, again), second)
        assert.deepEqual(again.calls, ['towns.all'])
        assert.match((await again.answer(/^(\d+)\. Lae/m.exec(second)?.[1] as string)).text, /^Pay for Lae/)
      })

      it('shows the first page where there are fewer rows by now', async () => {
        const flow = compiled()
        const phone = phoneOf(flow, { rows: rows(40) })
        await phone.dial()
        await phone.answer(more(await played(phone, '1', 'lae')))
        assert.match(
          await takenUp(phone, phoneOf(flow, { rows: rows(4) })),
          /^Town\?\n1\. Lae 1 Market Road\n2\. Lae 3/,
        )
      })

      it('begins other screens at their first page', async () => {
        const flow = compiled()
        const phone = phoneOf(flow, { rows: rows(40) })
        await phone.dial()
        await phone.answer(more(await played(phone, '1')))
        const again = phoneOf(flow, { rows: rows(40) })
        const page = await takenUp(phone, again)
        const shown = await again.answer(/^(\d+)\. (Wau|Lae)/m.exec(page)?.[1] as string)
        assert.match(shown.text, /^Pay for/)
      })

      it('pays for nothing: neither a confirmation that is taken up, nor one that is dialled', async () => {
        const flow = compiled()
        const phone = phoneOf(flow, { rows: rows(4) })
        await played(phone, '1', 'lae', '1')
        const again = phoneOf(flow, { rows: rows(4) })
        assert.match(await takenUp(phone, again), /^Town\?/)
        const deep = phoneOf(flow, { rows: rows(4) })
        assert.match((await deep.dial({ dialled: ['1', 'lae', '1', '1'] })).text, /^(Town\?|Pay for)/)
        assert.deepEqual([...again.calls, ...deep.calls], ['towns.all', 'towns.all'])
      })
    })
  }
})
