import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  openToOthers,
  readSecretFile,
  readSecretOctets,
  SECRET_OCTETS_MAX,
  secretIn,
} from '../../src/base/secret-file.ts'

describe('a file with a secret', () => {
  let folder: string
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'ussd-secret-'))))
  afterEach(() => rmSync(folder, { recursive: true }))
  const put = (text: string | Buffer, mode = 0o600) => {
    writeFileSync(join(folder, 'secret'), text)
    chmodSync(join(folder, 'secret'), mode)
    return join(folder, 'secret')
  }

  it('is read whole by its owner, and has a limit', () => {
    assert.deepEqual(readSecretFile(put('hush\n')), { text: 'hush\n' })
    assert.equal(secretIn(put(' hush \n', 0o400), 'x'), 'hush')
    const octets = Buffer.alloc(SECRET_OCTETS_MAX, 0xff)
    assert.deepEqual(readSecretOctets(put(octets)), { octets })
    assert.match(JSON.stringify(readSecretFile(put(Buffer.alloc(SECRET_OCTETS_MAX + 1)))), /more than 65536 octets/)
    assert.throws(() => secretIn(put(' \n'), 'door.tokenFile'), /door\.tokenFile: .* is empty/)
    assert.throws(() => secretIn('/nowhere', 'door.tokenFile'), /door\.tokenFile: \/nowhere cannot be read \(ENOENT\)/)
  })

  it('is refused if its group or others have any right to it, also through a link', () => {
    for (const mode of [0o640, 0o604, 0o610, 0o602, 0o660, 0o777]) {
      const file = put('hush', mode)
      const said = `--token-file: other users can read ${file} (mode 0${mode.toString(8)}) (chmod 600 ${file}; in a container, mount it below /run/secrets)`
      assert.throws(() => secretIn(file, '--token-file'), { name: 'UsageError', message: said })
    }
    symlinkSync(put('hush', 0o644), join(folder, 'link'))
    assert.match(JSON.stringify(readSecretFile(join(folder, 'link'))), /mode 0644/)
  })

  it('may be open to others where only root makes folders: below /run/secrets and /run/credentials', () => {
    const at = (real: string) => openToOthers('/etc/secret', 0o100444, () => real)
    for (const place of ['/run/secrets/token', '/run/secrets/ussd/..data/token', '/run/credentials/ussd.service/token'])
      assert.equal(at(place), undefined, place)
    for (const place of ['/run/secretsx/token', '/run/token', '/etc/run/secrets/token', '/srv/run/secrets/token'])
      assert.ok(at(place), place)
    assert.ok(
      openToOthers('/run/secrets/../../tmp', 0o100444, (file) => join(realpathSync('/'), file)),
      'where it leads',
    )
  })
})
