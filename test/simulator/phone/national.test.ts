import assert from 'node:assert/strict'
import { inbox } from '../../../src/simulator/phone/inbox.ts'
import { smsPdu, splitSms, type Concatenation } from '../../../src/sms/pdu/segments.ts'
import type { Pdu } from '../../../src/smpp/types.ts'
import { LANGUAGES } from '../../../src/ussd/national.ts'
import { LOCKING_TABLES, SINGLE_TABLES } from '../../../src/ussd/national-tables.ts'

const ADDRESSES = {
  source: '123',
  sourceTon: 3,
  sourceNpi: 1,
  msisdn: '67570000001',
  registeredDelivery: 0,
  validityPeriod: '',
}
const LETTERS = (table: string | undefined) =>
  [...(table ?? '')].filter((it) => it !== ' ' && it !== '\uffff' && it.trim() !== '').join('')

/** Sent by us, read by a handset of the simulator. */
function read(text: string, language: number, long: Concatenation) {
  const { parts } = splitSms(text, { concatenation: long, partsMax: 50, translit: false, languages: [language] }, 4711)
  const phone = inbox()
  let sms
  for (const [i, part] of parts.entries()) {
    sms = phone.take({ ...smsPdu(part, ADDRESSES), sequence: i + 1, status: 0 } as unknown as Pdu, String(i), 0)
  }
  return sms
}

describe('a handset that knows national tables', () => {
  for (const [name, language] of Object.entries(LANGUAGES)) {
    it(`reads all letters of ${name}, in one part and in many`, () => {
      const letters = LETTERS(LOCKING_TABLES.get(language)) + LETTERS(SINGLE_TABLES.get(language))
      for (const [long, text] of [
        ['udh16', letters.slice(0, 60)],
        ['udh16', letters.repeat(3)],
        ['udh8', letters.repeat(3)],
      ] as const) {
        const sms = read(text, language, long)
        assert.equal(sms?.text, text)
        assert.deepEqual([sms?.alphabet, sms?.over], ['gsm7', false])
      }
    })
  }

  it('gets fewer parts than in UCS-2, and UCS-2 where a letter is in no table', () => {
    const hindi = 'नमस्ते आपका अपॉइंटमेंट कल सुबह दस बजे है कृपया समय पर आएं धन्यवाद आपका दिन शुभ हो और स्वस्थ रहें'
    assert.ok(hindi.length > 70)
    assert.equal(read(hindi, LANGUAGES.hindi, 'udh16')?.parts, 1)
    assert.deepEqual(
      [read(hindi, LANGUAGES.turkish, 'udh16')?.parts, read(hindi, LANGUAGES.turkish, 'udh16')?.alphabet],
      [2, 'ucs2'],
    )
  })
})
