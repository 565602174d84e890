/**
 * The bill of materials of what production runs, in CycloneDX 1.5, off the lock file: `npm run --silent sbom >
 * sbom.json`. The same lock file gives the same octets. (npm's own `sbom --omit dev` leaves out what development needs,
 * too.)
 */
import { readFileSync } from 'node:fs'

interface Locked {
  version: string
  integrity?: string
  license?: string
  dev?: boolean
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
}

const read = <T>(file: string) => JSON.parse(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')) as T
const own = read<{ name: string; version: string; license: string }>('package.json')
const { packages } = read<{ packages: Record<string, Locked> }>('package-lock.json')
const production = Object.entries(packages).filter(([path, it]) => path !== '' && !it.dev)

const nameOf = (path: string) => path.split('node_modules/').at(-1)!
const purlOf = (path: string) => `pkg:npm/${nameOf(path).replace('@', '%40')}@${packages[path]!.version}`

/** Where a package finds another: beside it, or further out. */
function resolved(from: string, name: string): string | undefined {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
    const path = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`
    if (packages[path]) return path
    if (at === '') return undefined
  }
}

function dependsOn(path: string): string[] {
  const { dependencies, optionalDependencies, peerDependencies } = packages[path]!
  const names = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })
  const found = names.flatMap((name) => resolved(path, name) ?? [])
  return [...new Set(found.filter((one) => !packages[one]!.dev).map(purlOf))].toSorted()
}

const self = `pkg:npm/${own.name}@${own.version}`
const bom = {
  $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
  bomFormat: 'CycloneDX',
  specVersion: '1.5',
  version: 1,
  metadata: {
    component: {
      'bom-ref': self,
      type: 'application',
      name: own.name,
      version: own.version,
      purl: self,
      licenses: [{ license: { id: own.license } }],
    },
  },
  components: production.map(([path, it]) => ({
    'bom-ref': purlOf(path),
    type: 'library',
    name: nameOf(path),
    version: it.version,
    scope: 'required',
    purl: purlOf(path),
    hashes: [
      { alg: 'SHA-512', content: Buffer.from((it.integrity ?? '').replace('sha512-', ''), 'base64').toString('hex') },
    ],
    licenses: [{ license: { id: it.license } }],
  })),
  dependencies: [
    { ref: self, dependsOn: dependsOn('') },
    ...production.map(([path]) => ({ ref: purlOf(path), dependsOn: dependsOn(path) })),
  ],
}
process.stdout.write(`${JSON.stringify(bom, null, 2)}\n`)
