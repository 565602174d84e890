import assert from 'node:assert/strict'
import { sameKeyScreens } from '../../../src/flow/explore/same-key.ts'
import { flowOf } from '../support.ts'

const ENDS = `
  pay: { call: shop.pay, once: true, to: paid, failed: again }
  paid: { end: Paid. }
  again: { menu: 'It failed.', choices: [{ label: Try again, to: pay }, { label: Exit, to: out }] }
  out: { exit: true }
`
const found = (screens: string) => sameKeyScreens(flowOf(screens + ENDS))
const at = (screens: string, name: string) => found(screens).find(({ screen }) => screen === name)

const LIST = `
  main: { call: shop.rows, expect: { rows: rows }, to: pick }
  pick: { list: Which?, from: data.main.rows, row: '{row.name}', to: look, choices: [{ label: Exit, to: out }] }
  look: { call: shop.look, expect: { price: number }, to: sure }
`

describe('a confirm on the key that leads to it', () => {
  it('is found behind a list, over a call between, and told with the key and both screens', () => {
    const sure = `sure: { menu: 'For {data.look.price}?', choices: [{ label: Buy, to: pay }, { label: No, to: out }] }`
    assert.deepEqual(at(`${LIST}  ${sure}`, 'sure'), { screen: 'sure', key: '1', behind: 'pick' })
  })

  it('is found on any key that a row may have, and not on one that no screen before it takes', () => {
    const sure = (choices: string) => `${LIST}  sure: { menu: 'For {data.look.price}?', choices: [${choices}] }`
    const [no, buy] = ['{ label: No, to: out }', '{ label: Buy, to: pay }']
    assert.equal(at(sure(`${no}, ${no}, ${buy}`), 'sure')?.key, '3')
    const menu = (choices: string) => `
  main: { menu: Hi, choices: [{ label: Buy, to: sure }] }
  sure: { menu: Sure?, choices: [${choices}] }`
    assert.equal(at(menu(`${buy}, ${no}`), 'sure')?.key, '1')
    assert.equal(at(menu(`${no}, ${buy}`), 'sure'), undefined)
  })

  it('is found where a call that failed is offered again on the same key', () => {
    const main = `  main: { menu: Sure?, choices: [{ label: Buy, to: pay }] }`
    assert.deepEqual(found(main), [{ screen: 'again', key: '1', behind: 'main' }])
  })

  it('is found behind an input that takes the key, and not behind one that does not', () => {
    const input = (rules: string) => `
  main: { input: How many?, ${rules}, to: sure }
  sure: { menu: Sure?, choices: [{ label: Buy, to: pay }] }`
    assert.equal(at(input('number: { min: 1, max: 9 }'), 'sure')?.behind, 'main')
    assert.equal(at(input('number: { min: 100, max: 900 }'), 'sure'), undefined)
  })

  it('is not found where a question comes before the change, or where nothing changes', () => {
    const screens = (once: boolean) => `
  main: { menu: Hi, choices: [{ label: Buy, to: sure }] }
  sure: { menu: Sure?, choices: [{ label: Look, to: price }] }
  price: { call: shop.price, ${once ? 'once: true, ' : ''}to: out, failed: out }`
    assert.equal(at(screens(false), 'sure'), undefined)
    assert.equal(at(screens(true), 'sure')?.key, '1')
  })
})
