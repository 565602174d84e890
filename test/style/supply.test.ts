import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compilePattern } from '../../src/flow/expression/pattern.ts'
import { regexFault } from '../../src/smpp/dialect/regex.ts'
import { root, sources } from './tree.ts'

interface Locked {
  version: string
  resolved?: string
  integrity?: string
  license?: string
  dev?: boolean
  hasInstallScript?: boolean
}

interface Package {
  dependencies: Record<string, string>
  optionalDependencies: Record<string, string>
  devDependencies: Record<string, string>
  allowScripts: Record<string, boolean>
}

interface Bom {
  bomFormat: string
  serialNumber: string
  components: {
    'bom-ref': string
    purl: string
    hashes: { content: string }[]
    licenses: { license: { id: string } }[]
  }[]
  dependencies: { ref: string; dependsOn: string[] }[]
}

const PRODUCTION_MAX = 90
const LICENCES = new Set(['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', '0BSD'])

const json = <T>(file: string) => JSON.parse(readFileSync(join(root, file), 'utf8')) as T
const own = json<Package>('package.json')
const locked = Object.entries(json<{ packages: Record<string, Locked> }>('package-lock.json').packages).filter(
  ([path]) => path !== '',
)
const production = locked.filter(([, it]) => !it.dev)

describe('what comes from others', () => {
  it(`is ${PRODUCTION_MAX} packages in production at most`, () => {
    assert.ok(production.length > 0 && production.length <= PRODUCTION_MAX, `${production.length}: is each worth it?`)
  })
  it('is named by exact versions', () => {
    const loose = Object.entries({ ...own.dependencies, ...own.optionalDependencies, ...own.devDependencies }).filter(
      ([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version),
    )
    assert.deepEqual(loose, [])
  })
  it('is held by hash, and comes from the registry or from where npm is told to look', () => {
    assert.deepEqual(
      locked.filter(([, it]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(it.integrity ?? '')).map(([path]) => path),
      [],
    )
    assert.deepEqual(
      locked
        .filter(([, it]) => it.resolved && !it.resolved.startsWith('https://registry.npmjs.org/'))
        .map(([path]) => path),
      [],
    )
  })
  it('has a licence that lets us hand it on', () => {
    assert.deepEqual(
      production.filter(([, it]) => !LICENCES.has(it.license ?? '')).map(([path, it]) => `${path}: ${it.license}`),
      [],
    )
  })
  it('runs nothing when it is installed', () => {
    assert.deepEqual(
      production.filter(([, it]) => it.hasInstallScript).map(([path]) => path),
      [],
    )
    const scripted = locked.filter(([, it]) => it.hasInstallScript).map(([path]) => path.split('node_modules/').at(-1)!)
    assert.deepEqual(
      scripted.filter((name) => own.allowScripts[name] !== false),
      [],
    )
    assert.match(
      readFileSync(join(root, '.ci/run'), 'utf8'),
      /npm ci .*--ignore-scripts/,
      'npm before 11 knows nothing of allowScripts',
    )
    const settings = readFileSync(join(root, '.npmrc'), 'utf8').split('\n')
    // Not ignore-scripts: that would keep our own prepack from running, too, and packages would have no program.
    for (const line of ['strict-allow-scripts=true', 'save-exact=true']) assert.ok(settings.includes(line), line)
  })
  it('is listed by `npm run sbom`, whole, without a network, the same each time', () => {
    const run = () => execFileSync('npm', ['run', '--silent', 'sbom'], { cwd: root, encoding: 'utf8' })
    const text = run()
    assert.equal(run(), text)
    const bom = JSON.parse(text) as Bom
    assert.equal(bom.bomFormat, 'CycloneDX')
    assert.match(bom.serialNumber, /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.equal(bom.components.length, production.length)
    assert.ok(
      bom.components.every((one) => /^[0-9a-f]{128}$/.test(one.hashes[0]!.content) && one.licenses[0]!.license.id),
    )
    const [self, ...others] = bom.dependencies
    assert.equal(self!.dependsOn.length, Object.keys({ ...own.dependencies, ...own.optionalDependencies }).length)
    for (const one of bom.components) assert.ok(one.purl.startsWith('pkg:npm/'), one['bom-ref'])
    const listed = new Set(bom.components.map((one) => one['bom-ref']))
    const reached = new Set([...self!.dependsOn, ...others.flatMap((one) => one.dependsOn)])
    assert.deepEqual(
      [...reached].filter((one) => !listed.has(one)),
      [],
    )
    assert.deepEqual(
      [...listed].filter((one) => !reached.has(one)),
      [],
      'everything that is there is there for something',
    )
  })
})

describe('what is written here', () => {
  it('makes no code of text', () => {
    const code = sources(['src', 'samples', 'machines', 'migrations'])
    const found = code.flatMap((file) =>
      readFileSync(join(root, file), 'utf8')
        .split('\n')
        .flatMap((line, i) =>
          /\beval\(|\bnew Function\b|\bFunction\(|from 'node:vm'|from 'vm'|setTimeout\(['"`]/.test(line)
            ? [`${file}:${i + 1}`]
            : [],
        ),
    )
    assert.deepEqual(found, [])
  })

  /** Files that make expressions of what is not written there, and why that takes no time that a text can stretch. */
  const COMPILED: Record<string, string> = {
    'src/flow/engine/answer-checks.ts': 'a number of decimals',
    'src/flow/engine/app-pages.ts': 'keys of our own',
    'src/flow/read/part-names.ts': 'a name of our own',
    'src/ussd/text.ts': 'classes of our own',
  }
  it('makes regular expressions of text only where their time is bounded', () => {
    const made = sources(['src', 'samples', 'machines']).filter((file) =>
      /\bRegExp\((?!['"])/.test(readFileSync(join(root, file), 'utf8')),
    )
    assert.deepEqual(
      made.filter((file) => !COMPILED[file]),
      [],
    )
  })
  it("keeps an operator's pattern linear, however it is written", () => {
    const slow = [
      '(a+)+',
      '(a|a)*',
      '(a|aa)+',
      '(.*)*x',
      '([a-z]+)*',
      '(?:a+){2,}',
      'a*a*a*b',
      '(a)\\1',
      '(?=a+)a',
      '.*.*.*x',
      'x{1,99}y{1,99}z{1,99}',
      '[^]]*)+',
      '\\(a+)+',
    ]
    for (const source of slow) assert.equal(typeof compilePattern(source), 'string', source)
    for (const source of slow.filter((one) => !one.startsWith('x{'))) assert.notEqual(regexFault(source), null, source)
    for (const source of ['\\d{4}', '[A-Z]{2}\\d+', 'a*b*', '(?:ab|cd)x?']) {
      const pattern = compilePattern(source)
      assert.ok(typeof pattern !== 'string', source)
      for (const text of ['a'.repeat(160), `${'ab'.repeat(80)}!`, '1'.repeat(160)]) pattern.test(text)
    }
  })
})
