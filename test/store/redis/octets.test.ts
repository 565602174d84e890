/** Commands whose octets are written into one buffer, beside those that ioredis makes. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { Command, Redis } from 'ioredis'
import { askedAtOnce, octetsOf, scriptByHash } from '../../../src/store/redis/octets.ts'
import { describeWith, services } from '../../support/services.ts'

const ofIoredis = ([name, ...args]: string[]) => Buffer.from(new Command(name!, args).toWritable({}) as string)

describe('the octets of a command', () => {
  it('are those that ioredis makes, whatever the words', () => {
    const word = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string(),
      fc.constantFrom('', '\r\n', 'é', '€', 'नमस्ते', '😀'),
    )
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), (words) => {
        assert.deepEqual(octetsOf(['evalsha'], words), ofIoredis(['evalsha', ...words]))
      }),
    )
  })

  it('are the same if there are very many, or a word is very long, and of the next command, too', () => {
    for (const words of [
      Array.from({ length: 1_100 }, (_, n) => `word ${n}`),
      ['€'.repeat(99_999)],
      ['a'.repeat(70_000), 'é'],
    ])
      assert.deepEqual(octetsOf(['mget', ...words]), ofIoredis(['mget', ...words]))
    assert.equal(octetsOf(['get', 'a']).toString(), '*2\r\n$3\r\nget\r\n$1\r\na\r\n')
  })

  it('are those of the command, whatever is written after it', () => {
    const first = octetsOf(['get', 'a'])
    octetsOf(['set'], ['b', 'c'])
    assert.equal(first.toString(), '*2\r\n$3\r\nget\r\n$1\r\na\r\n')
  })
})

describeWith(['redis'], 'a command by its octets', () => {
  let client: Redis
  beforeEach(() => {
    client = new Redis(services.redisUrl!)
  })
  afterEach(() => client.disconnect())

  it('reads values as they were written, and null where there is none', async () => {
    const key = `t${randomBytes(6).toString('hex')}`
    await client.set(key, 'नमस्ते é')
    assert.deepEqual(await askedAtOnce(client, [key, `${key}-none`]), ['नमस्ते é', null])
    await client.del(key)
  })

  it('runs a script by its hash; in full only where Redis does not know it', async () => {
    const lua = `return { KEYS[1], ARGV[1], '${randomBytes(6).toString('hex')}' }`
    let inFull = 0
    const script = scriptByHash(client, lua, (keys, args) => {
      inFull++
      return client.eval(lua, keys.length, ...keys, ...args)
    })
    for (const word of ['1', 'é'])
      assert.deepEqual(((await script(['key'], [word])) as string[]).slice(0, 2), ['key', word])
    assert.equal(inFull, 1)
  })

  it('fails as Redis says, and its error has no word of it', async () => {
    const script = scriptByHash(client, 'return redis.call("INCR", KEYS[1], ARGV[1])', (keys, args) =>
      client.eval('return redis.error_reply("ERR no")', keys.length, ...keys, ...args),
    )
    await assert.rejects(script([], []), /ERR no/)
    client.disconnect()
    await assert.rejects(askedAtOnce(client, ['67570000001']), (error: Error) => !JSON.stringify(error).includes('675'))
  })
})
