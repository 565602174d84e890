import assert from 'node:assert/strict'
import { readEnvelope, writeEnvelope } from '../../../src/smpp/dialect/envelope.ts'

const base64 = (value: string) => Buffer.from(value).toString('base64')

describe('an envelope in a text', () => {
  it('has a type of up to three digits, and its parameters by number in their order', () => {
    const read = readEnvelope(`120|7:${base64('ä')}|3:${base64('two')}`)
    assert.equal(read?.type, '120')
    assert.deepEqual(
      [...read!.params],
      [
        ['7', 'ä'],
        ['3', 'two'],
      ],
    )
  })
  it('is none without a type, without a parameter, or with a type that is no number', () => {
    for (const text of ['', '5', '1234|1:aa', 'x|1:aa', '|1:aa', '5|', '5|1', '5|:aa'])
      assert.equal(readEnvelope(text), null, text)
  })
  it('keeps a value that is not Base64 as it stands', () => {
    const values = (text: string) => [...readEnvelope(text)!.params.values()]
    assert.deepEqual(values('5|1:abc'), ['abc'])
    assert.deepEqual(values('5|1:ab!='), ['ab!='])
    assert.deepEqual(values('5|1:a==='), ['a==='])
    assert.deepEqual(values('5|1:aGk='), ['hi'])
    assert.deepEqual(values('5|1:'), [''])
  })
  it('passes over what is no parameter, and takes 32 of them at most', () => {
    assert.deepEqual([...readEnvelope(`5|junk|:x|1:${base64('a')}`)!.params.keys()], ['1'])
    const many = Array.from({ length: 40 }, (_, n) => `${n}:${base64('v')}`).join('|')
    assert.equal(readEnvelope(`5|${many}`)!.params.size, 32)
  })
  it('is written so that it is read back', () => {
    const envelope = {
      type: '9',
      params: new Map([
        ['1', 'ç|:'],
        ['2', ''],
      ]),
    }
    assert.equal(writeEnvelope(envelope).toString(), `9|1:${base64('ç|:')}|2:`)
    assert.deepEqual(readEnvelope(writeEnvelope(envelope).toString()), envelope)
  })
})
