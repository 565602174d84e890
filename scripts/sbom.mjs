// The bill of materials for production: `npm run --silent sbom > sbom.json`. npm writes it in CycloneDX from the lock
// file. npm gets a lock file without development packages: its own `--omit dev` also drops packages that production and
// development share, such as zod.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const read = (file) => JSON.parse(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8'))
const { devDependencies: _, ...own } = read('package.json')
const lock = read('package-lock.json')
delete lock.packages[''].devDependencies
lock.packages = Object.fromEntries(Object.entries(lock.packages).filter(([, { dev }]) => !dev))

const temporary = mkdtempSync(join(tmpdir(), 'ussd-sbom-'))
// npm names the described project after its folder.
const folder = join(temporary, own.name)
mkdirSync(folder)
writeFileSync(join(folder, 'package.json'), JSON.stringify(own))
writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lock))
const words = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--package-lock-only', '--offline']
const { status, stdout, stderr } = spawnSync('npm', words, { cwd: folder, encoding: 'utf8' })
rmSync(temporary, { recursive: true })
if (status !== 0) {
  console.error(`npm cannot write the bill of materials:\n${stdout}${stderr}`)
  process.exit(1)
}
const bom = JSON.parse(stdout)
// Removes chance and time: the same lock file then gives the same octets. The serial number is made of those (a UUID of
// version 8, RFC 9562): the same bill has the same number, another one has another.
delete bom.serialNumber
delete bom.metadata.timestamp
const hash = createHash('sha256').update(JSON.stringify(bom)).digest('hex')
const variant = ((Number.parseInt(hash[16], 16) & 0x3) | 0x8).toString(16)
const uuid = [
  hash.slice(0, 8),
  hash.slice(8, 12),
  `8${hash.slice(13, 16)}`,
  variant + hash.slice(17, 20),
  hash.slice(20, 32),
]
bom.serialNumber = `urn:uuid:${uuid.join('-')}`
console.log(JSON.stringify(bom, null, 2))
