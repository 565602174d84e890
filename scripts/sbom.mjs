// The bill of materials of what production runs: `npm run --silent sbom > sbom.json`. npm writes it, in CycloneDX, off the lock file.
// npm is handed a lock file without development: its own `--omit dev` also drops what production and development share, such as zod.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const read = (file) => JSON.parse(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8'))
const { devDependencies: _, ...own } = read('package.json')
const lock = read('package-lock.json')
delete lock.packages[''].devDependencies
lock.packages = Object.fromEntries(Object.entries(lock.packages).filter(([, { dev }]) => !dev))

const temporary = mkdtempSync(join(tmpdir(), 'ussd-sbom-'))
// npm calls what it describes by the name of the folder.
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
// Chance and time. Without them the same lock file gives the same octets.
delete bom.serialNumber
delete bom.metadata.timestamp
console.log(JSON.stringify(bom, null, 2))
