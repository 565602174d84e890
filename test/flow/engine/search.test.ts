import assert from 'node:assert/strict'
import { checkSource } from '../../../src/flow/check/check.ts'
import { SEARCH_ROWS_MAX } from '../../../src/flow/expression/path.ts'
import { proveFlow } from '../../../src/flow/explore/prove.ts'
import { readFlow } from '../../../src/flow/read/read.ts'
import { fits } from '../../../src/ussd/text.ts'
import { USSD_PAGE, type Json } from '../../../src/ussd/vocabulary.ts'
import { fileOf, flowOf, handset } from '../support.ts'

const SCREENS = `
  main: { call: towns.all, expect: { rows: rows }, to: town }
  town: { list: 'Town?', from: data.main.rows, row: '{row.name}', keep: [id, name], search: [name, area], to: sure, empty: none, choices: [{ label: Other, to: none }] }
  sure: { menu: 'Move to {chosen.town.name}?', choices: [{ label: 'Yes', to: move }] }
  move: { call: towns.move, with: { id: '{chosen.town.id}' }, once: true, to: none }
  none: { end: None. }
`
const HEAD = "start: main\nlanguages: [en]\nkeys: { back: '0' }"
const many = (n: number) =>
  Array.from({ length: n }, (_, i) => ({
    id: i,
    name: `Town ${String.fromCharCode(97 + (i % 26))}${i}`,
    area: i % 2 ? 'Norðr' : 'Süd',
    more: 'not kept',
  }))
const phoneWith = (rows: Json, calls: string[] = []) =>
  handset(flowOf(SCREENS, HEAD).flow, (want) => (calls.push(want.operation), { is: 'data', data: { rows } }))

describe('a list with a search', () => {
  it('leads on when it has no rows, and is a list when it has one', async () => {
    assert.equal((await phoneWith([]).dial()).text, 'None.')
    const phone = phoneWith([{ id: 1, name: 'Lae', area: '' }])
    assert.equal((await phone.dial()).text, 'Town?\n1. Lae\n2. Other')
    assert.equal((await phone.answer('l')).text, 'Town?\n1. Lae\n2. Show all\n3. Other')
  })

  it('is narrowed by letters, any case, with or without accents, any script; numbers run on', async () => {
    for (const [name, typed] of [
      ['Café Éclair', 'CAFE ecl'],
      ['Москва', 'моск'],
      ['Ёлка', 'елк'],
      ['हिन्दी नगर', 'नगर'],
      ['東京', '京'],
      ['القاهرة', 'قاهر'],
    ] as const) {
      const phone = phoneWith([
        { id: 1, name: 'Lae' },
        { id: 2, name },
      ])
      await phone.dial()
      assert.equal((await phone.answer(typed)).text, `Town?\n1. ${name}\n2. Show all\n3. Other`, typed)
      assert.match((await phone.answer('1')).text, new RegExp(`^Move to ${name}`))
    }
  })

  it('says when nothing is found and asks again, over what it showed; as often as answers may be wrong', async () => {
    const phone = phoneWith(many(3))
    await phone.dial()
    const none = 'Nothing found. Number or letters:\n1. Town a0\n2. Town b1\n3. Town c2\n4. Other'
    for (let i = 0; i < 4; i++) assert.equal((await phone.answer('zzz')).text, none)
    assert.equal((await phone.answer('zzz')).do, 'end')
  })

  it('says of a number that it is none of those shown, with the prompt again where there is room', async () => {
    const phone = phoneWith(many(3))
    await phone.dial()
    const rows = '\n1. Town a0\n2. Town b1\n3. Town c2\n4. Other'
    for (const typed of ['99', '5', '0', '?'])
      assert.equal((await phone.answer(typed)).text, `No such number.\nTown?${rows}`, typed)
    const other = phoneWith(many(3))
    await other.dial()
    for (const [typed, head] of [
      ['99', 'No such number.\nTown?'],
      ['zzz', 'Nothing found. Number or letters:'],
      ['99', 'No such number.\nTown?'],
    ] as const) {
      assert.equal((await other.answer(typed)).text, head + rows)
    }
    assert.match((await other.answer('c2')).text, /^Town\?\n1\. Town c2\n/)
    const full = phoneWith(many(30))
    const { text } = (await full.dial()) as { text: string }
    assert.equal((await full.answer('99')).text, text.replace('Town?', 'No such number.'))
  })

  it('searches anew in all rows, and shows all again', async () => {
    const phone = phoneWith(many(30))
    await phone.dial()
    assert.match((await phone.answer('a2')).text, /^Town\?\n1\. Town a26\n2\. Show all/)
    assert.match((await phone.answer('sud town b')).text, /^Nothing found/)
    assert.match((await phone.answer('nor')).text, /^Town\?\n1\. Town b1\n2\. Town d3/)
    assert.match((await phone.answer('c')).text, /1\. Town c2\n2\. Town c28\n3\. Show all\n4\. Other/)
    assert.match((await phone.answer('3')).text, /^Town\?\n1\. Town a0\n/)
    assert.equal(phone.snapshot().context.find, null)
  })

  it('comes back as it was left, narrowed and at its page', async () => {
    const phone = phoneWith(many(200))
    await phone.dial()
    const first = await phone.answer('nor')
    const second = await phone.answer(/(\d+)\. More/.exec(first.text)?.[1] as string)
    const chosen = /^(\d+)\. Town/m.exec(second.text)?.[1] as string
    assert.match((await phone.answer(chosen)).text, /^Move to/)
    assert.equal((await phone.answer('0')).text, second.text)
    assert.equal((await phone.answer('0')).text, first.text)
  })

  it('holds a thousand rows in a snapshot of 64 kB, and every page fits', async () => {
    const phone = phoneWith(many(1200))
    let want = await phone.dial()
    assert.equal((phone.snapshot().context.data as { main: { rows: Json[] } }).main.rows.length, SEARCH_ROWS_MAX)
    const octets = Buffer.byteLength(JSON.stringify(phone.snapshot()))
    assert.ok(octets < 65_536, String(octets))
    for (let i = 0; i < 40; i++) {
      assert.ok(fits(want.text, USSD_PAGE))
      want = await phone.answer(/(\d+)\. More/.exec(want.text)?.[1] as string)
    }
    assert.match((await phone.answer('Town l999')).text, /1\. Town l999/)
    assert.match((await phone.answer('1')).text, /^Move to Town l999/)
  })

  it('pays for nothing that was dialled', async () => {
    const calls: string[] = []
    assert.match(
      (await phoneWith(many(9), calls).dial({ dialled: ['town c', '1', '1'] })).text,
      /^Move to Town c2|^Town/,
    )
    assert.deepEqual(
      calls,
      ['main', 'all'].filter((call) => calls.includes(call)),
    )
  })

  it('is walked, by letters too, and needs keep', () => {
    const source = { file: 'test.yaml', text: fileOf(SCREENS, HEAD), catalogues: [] }
    assert.deepEqual(checkSource(source), [])
    assert.deepEqual(proveFlow(flowOf(SCREENS, HEAD), readFlow(source).at), [])
    const without = checkSource({ ...source, text: fileOf(SCREENS.replace('keep: [id, name], ', ''), HEAD) })
    assert.match(without.map(({ what }) => what).join(), /has search but no keep/)
  })
})
