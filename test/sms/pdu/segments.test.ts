import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  PARTS_MAX,
  relativeTime,
  smsPdu,
  splitSms,
  type Concatenation,
  type PlainText,
  type SmsPart,
} from '../../../src/sms/pdu/segments.ts'
import { addPart, endText, type HeldDeps } from '../../../src/sms/inbox/parts.ts'
import { readSmsPart } from '../../../src/sms/pdu/segments-join.ts'
import type { Pdu } from '../../../src/smpp/types.ts'
import { pduOf, vector } from '../../smpp/dialect/support.ts'

const TO = {
  source: 'AWEH',
  sourceTon: 5,
  sourceNpi: 0,
  msisdn: '992000000001',
  registeredDelivery: 1,
  validityPeriod: '',
}

describe('long SMS, split', () => {
  const wholes: [string, string, Concatenation, number][] = [
    ['m04', 'C'.repeat(152) + 'D'.repeat(20), 'udh16', 0x1234],
    ['m05', 'E'.repeat(153) + 'F'.repeat(20), 'sar', 0x4d],
    ['m07', `${'Привет мир '.repeat(6)}😀 конец`, 'udh8', 0x2b],
  ]
  for (const [id, text, concatenation, reference] of wholes) {
    it(`are the octets of ${id} (${vector(id).note})`, () => {
      const { parts, cut } = splitSms(text, { concatenation }, reference)
      assert.equal(cut, false)
      assert.equal(parts.length, 2)
      for (const [i, part] of parts.entries()) same(part, vector(`${id}-${pieceName(id)}part${i + 1}`).id)
    })
  }

  it('are one message_payload where the SMSC splits', () => {
    const wanted = pduOf(vector('m06'))
    const text = wanted.tlvs[0]?.value.toString('latin1') ?? ''
    const { parts } = splitSms(text, { concatenation: 'payload' }, 1)
    assert.equal(parts.length, 1)
    same(parts[0] as SmsPart, vector('m06').id)
  })

  it('stay one message up to 160 septets or 70 units', () => {
    const lengths = (text: string, concatenation: Concatenation) =>
      splitSms(text, { concatenation }, 1).parts.map((part) => part.text.length)
    assert.deepEqual(lengths('x'.repeat(160), 'udh8'), [160])
    assert.deepEqual(lengths('x'.repeat(161), 'udh8'), [153, 8])
    assert.deepEqual(lengths('x'.repeat(161), 'udh16'), [152, 9])
    assert.deepEqual(lengths('Я'.repeat(70), 'udh8'), [70])
    assert.deepEqual(lengths('Я'.repeat(71), 'udh8'), [67, 4])
    assert.deepEqual(lengths('Я'.repeat(71), 'udh16'), [66, 5])
    assert.deepEqual(lengths('', 'udh8'), [0])
  })

  it('keep an escape pair, and a letter with its mark, in one part', () => {
    const [first] = splitSms(`${'x'.repeat(152)}€${'y'.repeat(20)}`, { concatenation: 'udh8' }, 1).parts
    assert.equal(first?.text, 'x'.repeat(152))
    const [marked] = splitSms(`${'Я'.repeat(66)}и\u0306${'я'.repeat(20)}`, { concatenation: 'udh8' }, 1).parts
    assert.equal(marked?.text, 'Я'.repeat(66))
  })

  it('are in the alphabet and the data_coding that plain text has at that SMSC', () => {
    const at = (text: string, plain: PlainText, more: object = {}) => {
      const { alphabet, parts } = splitSms(text, { concatenation: 'udh8', plain, ...more }, 1)
      return [alphabet, parts[0]!.dataCoding, parts[0]!.shortMessage.toString('hex')]
    }
    const latin1: PlainText = { alphabet: 'latin1', dataCoding: 3 }
    assert.deepEqual(at('a@_é{', latin1), ['gsm7', 3, '61405fe97b'])
    assert.deepEqual(at('a@_{', { alphabet: 'ascii', dataCoding: 1 }), ['gsm7', 1, '61405f7b'])
    assert.deepEqual(at('a@', { alphabet: 'gsm7', dataCoding: 0xf1 }), ['gsm7', 0xf1, '6100'])
    // What the alphabet lacks goes as UCS-2, where that may be; else it is a question mark.
    assert.deepEqual(at('€', latin1), ['ucs2', 8, '20ac'])
    assert.deepEqual(at('é€', { alphabet: 'ascii', dataCoding: 0 }, { ucs2: false }), ['gsm7', 0, '3f3f'])
    // The SMSC puts it into septets, where { is two.
    assert.deepEqual(
      splitSms('{'.repeat(81), { concatenation: 'udh8', plain: latin1 }, 1).parts.map((it) => it.text.length),
      [76, 5],
    )
    assert.deepEqual(at('şş', latin1, { languages: [1], translit: false }), ['ucs2', 8, '015f015f'])
  })

  it('give typographic characters up rather than pay for UCS-2, unless told not to', () => {
    assert.equal(splitSms('It’s', { concatenation: 'udh8' }, 1).alphabet, 'gsm7')
    assert.equal(splitSms('It’s', { concatenation: 'udh8', translit: false }, 1).alphabet, 'ucs2')
    assert.equal(splitSms('It’s Я', { concatenation: 'udh8' }, 1).parts[0]?.text, 'It’s Я')
  })

  const national: [string, string, number][] = [
    ['m10', 'más', 2],
    ['m11', 'não Φ', 3],
    ['m12', 'अA', 6],
  ]
  for (const [id, text, language] of national) {
    it(`use the shift tables of ${id} where the line allows them (${vector(id).note})`, () => {
      const [part] = splitSms(text, { concatenation: 'udh8', languages: [language] }, 1).parts
      assert.equal(part && readSmsPart(arriving(part)).text, text)
      if (id !== 'm11') assert.deepEqual(part?.shortMessage, pduOf(vector(id)).body.short_message)
    })
  }

  it('have room for what the headers of shift tables leave', () => {
    const turkish = (text: string, concatenation: Concatenation) =>
      splitSms(text, { concatenation, languages: [1] }, 1).parts.map((part) => part.text.length)
    assert.deepEqual(turkish('ğ'.repeat(155), 'udh8'), [155])
    assert.deepEqual(turkish('ğ'.repeat(156), 'udh8'), [149, 7])
    assert.deepEqual(turkish('ğ'.repeat(156), 'udh16'), [148, 8])
    // The SMSC writes the header here, so there is no place for a table.
    assert.equal(splitSms('ğ', { concatenation: 'sar', languages: [1], translit: false }, 1).alphabet, 'ucs2')
    assert.equal(splitSms('ğ', { concatenation: 'sar', languages: [1] }, 1).parts[0]?.text, 'g')
  })

  it('are cut at the most parts that are allowed, and say so', () => {
    const { parts, cut } = splitSms('x'.repeat(5000), { concatenation: 'udh8' }, 1)
    assert.equal(parts.length, PARTS_MAX)
    assert.equal(cut, true)
  })

  it('come back whole in any order, with every part doubled, for any text and form', () => {
    const units = fc.constantFrom('a', '€', 'Я', '😀', 'и\u0306', '\n', '[', 'é')
    const national = fc.constantFrom('a', '€', 'ğ', 'Ş', '[', '\n')
    const texts = fc
      .oneof(fc.array(units, { maxLength: 600 }), fc.array(national, { maxLength: 600 }))
      .map((it) => it.join(''))
    const forms = fc.constantFrom<Concatenation>('udh8', 'udh16', 'sar', 'payload')
    fc.assert(
      fc.property(texts, forms, fc.nat(0xffff), fc.boolean(), (text, concatenation, reference, reversed) => {
        const { parts } = splitSms(text, { concatenation, partsMax: 100, translit: false, languages: [1] }, reference)
        const pdus = (reversed ? parts.toReversed() : parts).map(arriving)
        for (const { shortMessage } of parts) assert.ok(shortMessage.length <= 254)
        assert.deepEqual(together(pdus.length > 1 ? pdus.flatMap((pdu) => [pdu, pdu]) : pdus), [text])
      }),
      { numRuns: 60 },
    )
  })
})

describe('parts of an SMS', () => {
  it('never break what a reader sees as one letter', () => {
    const letters = new Intl.Segmenter('en', { granularity: 'grapheme' })
    const units = fc.constantFrom(
      'a',
      '€',
      '[',
      '😀',
      'и\u0306',
      'e\u0301\u0323',
      '👩\u200d👩\u200d👧\u200d👦',
      '🇵🇬',
      'क्षि',
      'ğ',
    )
    const forms = fc.constantFrom<Concatenation>('udh8', 'udh16', 'sar')
    const languages = fc.constantFrom([], [1], [6])
    fc.assert(
      fc.property(
        fc.array(units, { minLength: 100, maxLength: 400 }),
        forms,
        languages,
        (all, concatenation, known) => {
          const text = all.join('')
          const starts = new Set([...letters.segment(text)].map(({ index }) => index))
          const { parts } = splitSms(text, { concatenation, partsMax: 200, translit: false, languages: known }, 1)
          let at = 0
          for (const part of parts) {
            assert.ok(starts.has(at), `a part begins within a letter, at ${at}`)
            at += part.text.length
          }
          assert.equal(at, text.length)
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('incoming SMS', () => {
  it('are read with national tables, Latin-1, ASCII and flash', () => {
    for (const [id, text] of [
      ['m08', 'dağ'],
      ['m10', 'más'],
      ['m11', 'não Φ'],
      ['m12', 'अA'],
      ['m13', 'Olá ç'],
      ['m15', 'Flash'],
    ] as const) {
      assert.equal(readSmsPart(pduOf(vector(id))).text, text, id)
    }
  })

  it('are read with a header at the start of message_payload, as data_sm has it', () => {
    const pdu = pduOf(vector('m13'))
    const body = { ...pdu.body, short_message: Buffer.alloc(0), data_coding: 0, esm_class: 0x40 }
    const tlvs = [{ tag: 0x0424, value: Buffer.from([5, 0, 3, 9, 2, 1, 0x41]) }]
    const { reference, total, sequence, text } = readSmsPart({ ...pdu, body, tlvs })
    assert.deepEqual([reference, total, sequence, text], [9, 2, 1, 'A'])
  })

  const schemes: [number, string, string][] = [
    [0x0f, '4100', 'A@'],
    [0x10, '4100', 'A@'],
    [0x11, '4100', 'A@'],
    [0x18, '041f', 'П'],
    [0x19, '041f', 'П'],
    [0x14, '41e9', 'Aé'],
    [0xf5, '41e9', 'Aé'],
    [0x04, '41e9', 'Aé'],
    [0xc8, '4100', 'A@'],
    [0xe0, '041f', 'П'],
  ]
  for (const [data_coding, hex, wanted] of schemes) {
    it(`are read where the SMSC hands on the coding scheme of the handset, 0x${data_coding.toString(16)}`, () => {
      const pdu = pduOf(vector('m13'))
      const body = { ...pdu.body, short_message: Buffer.from(hex, 'hex'), data_coding, esm_class: 0 }
      assert.equal(readSmsPart({ ...pdu, body, tlvs: [] }).text, wanted)
    })
  }

  it('are read in the alphabet that plain text has at that SMSC', () => {
    const pdu = pduOf(vector('m13'))
    const read = (data_coding: number, plain: PlainText) =>
      readSmsPart(
        { ...pdu, body: { ...pdu.body, short_message: Buffer.from('a@_é', 'latin1'), data_coding, esm_class: 0 } },
        plain,
      ).text
    assert.equal(read(0, { alphabet: 'latin1', dataCoding: 0 }), 'a@_é')
    assert.equal(read(0xf1, { alphabet: 'latin1', dataCoding: 0xf1 }), 'a@_é')
    assert.notEqual(read(0, { alphabet: 'latin1', dataCoding: 3 }), 'a@_é')
  })

  it('are on their own where a part number is outside its total', () => {
    const headed = (...octets: number[]) => {
      const pdu = pduOf(vector('m13'))
      const short_message = Buffer.from([octets.length, ...octets, 0x41])
      const { reference, total, sequence, text } = readSmsPart({
        ...pdu,
        body: { ...pdu.body, short_message, data_coding: 0, esm_class: 0x40 },
      })
      return [reference, total, sequence, text]
    }
    assert.deepEqual(headed(0, 3, 9, 2, 2), [9, 2, 2, 'A'])
    assert.deepEqual(headed(8, 4, 1, 9, 2, 2), [265, 2, 2, 'A'])
    for (const broken of [
      [0, 3, 9, 2, 3],
      [0, 3, 9, 2, 0],
      [0, 3, 9, 0, 0],
      [8, 4, 1, 9, 2, 3],
    ])
      assert.deepEqual(headed(...broken), [0, 1, 1, 'A'])
  })

  it('are read from any octets without throwing', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.nat(255), fc.constantFrom(0, 0x40), (octets, data_coding, esm_class) => {
        const pdu = pduOf(vector('m13'))
        readSmsPart({ ...pdu, body: { ...pdu.body, short_message: Buffer.from(octets), data_coding, esm_class } })
      }),
    )
  })
})

describe('validity periods', () => {
  const table: [number, string][] = [
    [0, '000000000100000R'],
    [60_000, '000000000100000R'],
    [3600_000, '000000010000000R'],
    [86_400_000, '000001000000000R'],
    [26.5 * 3600_000, '000001023000000R'],
    [31 * 86_400_000, '000031000000000R'],
    [400 * 86_400_000, '000031000000000R'],
  ]
  for (const [ms, written] of table) it(`${ms} ms is ${written}`, () => assert.equal(relativeTime(ms), written))
})

/** Texts that came together, in the order of the PDUs; what is held goes through JSON between them. */
function together(pdus: Pdu[]): string[] {
  const limits = { partsMax: 100, textsMax: 8, octetsMax: 1_000_000, keepMs: 1, copyMs: 1 }
  let held: HeldDeps | null = null
  const through = (next: HeldDeps | null) => JSON.parse(JSON.stringify(next)) as HeldDeps | null
  const texts: string[] = []
  for (const pdu of pdus) {
    const part = { ...readSmsPart(pdu), group: 'g', msisdn: '1' }
    if (part.total === 1) return [part.text]
    const added = addPart(held, part, 0, limits)
    held = through(added.held)
    if (added.result.is !== 'whole') continue
    held = through(endText(held, part, 0, limits).held)
    texts.push(added.result.text)
  }
  return texts
}

function pieceName(id: string): string {
  return { m04: 'udh16_', m05: 'sar_', m07: 'ucs2_' }[id] ?? ''
}

function same(part: SmsPart, id: string): void {
  const wanted = pduOf(vector(id))
  const { body, tlvs } = smsPdu(part, { ...TO, registeredDelivery: Number(wanted.body.registered_delivery) })
  assert.deepEqual(body, { ...wanted.body, short_message: wanted.body.short_message ?? Buffer.alloc(0) })
  assert.deepEqual(tlvs, wanted.tlvs)
}

function arriving(part: SmsPart): Pdu {
  const { body, tlvs } = smsPdu(part, TO)
  return { command: 'deliver_sm', status: 0, sequence: 1, body, tlvs }
}
