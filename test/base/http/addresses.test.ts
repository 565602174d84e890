import assert from 'node:assert/strict'
import { isAllowed, urlFault } from '../../../src/base/http/addresses.ts'
import { parseSettings } from '../../../src/config/load.ts'
import { ANSWERS, NOTATIONS, PLAIN } from '../../campaigns/notations.ts'

describe('an address in the settings', () => {
  it('is refused in every notation that reads as another, and where no back end can be', () => {
    for (const host of NOTATIONS) assert.notEqual(urlFault(`http://${host}/api`), undefined, JSON.stringify(host))
  })
  it('stands as it is where it is plain: names, public and private addresses, loopback', () => {
    for (const host of PLAIN) assert.equal(urlFault(`https://${host}/api?x=1`), undefined, host)
  })
  it('is refused with place and reason, and without the password in it', () => {
    const source = `
services: [{ code: "*1#", flow: f }]
door: {}
backends: { a: { http: { url: "http://bob:hunter2@127.0.0.1/" } } }
apps: { b: { contract: africastalking, url: "http://0x7f.1/" , closeUrl: "ftp://x/" } }
redis: embedded
postgres: embedded
`
    assert.throws(
      () => parseSettings(source, 'f', {}),
      (error: Error) => {
        assert.match(error.message, /backends\.a\.http\.url' has a name or password before @: use tokenFile/)
        assert.match(error.message, /apps\.b\.url' is read as '127\.0\.0\.1'/)
        assert.match(error.message, /apps\.b\.closeUrl' is not an http or https address/)
        assert.doesNotMatch(error.message, /hunter2/)
        return true
      },
    )
  })
})

describe('an address that a name leads to', () => {
  it('is never this machine, link local, metadata or reserved; private only where the settings say so', () => {
    for (const address of ANSWERS) assert.equal(isAllowed(address, false), false, address)
    const inside = ANSWERS.filter((address) => isAllowed(address, true))
    assert.deepEqual(inside, ['10.1.2.3', '172.16.0.1', '172.31.255.254', '192.168.1.1', '100.64.0.1', 'fc00::1'])
    for (const address of ['8.8.8.8', '1.1.1.1', '2606:4700::1111', '2a00:1450::1'])
      assert.equal(isAllowed(address, false), true, address)
  })
})
