// Builds the package for Debian and Ubuntu: `npm run deb`, after `npm ci`, or
//   node scripts/deb.mjs [--dist FOLDER] [--out FOLDER] [--version VERSION] [--maintainer WHO] [--compression xz|zstd|none]
// It asks no registry: the packages of production are those of the lock file, copied from node_modules. The same commit
// gives the same octets. deploy/debian has what makes it a package: control, scripts, and the first settings.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const root = join(import.meta.dirname, '..')
const read = (file) => readFileSync(join(root, file), 'utf8')
const own = JSON.parse(read('package.json'))
const text = (value) => ({ type: 'string', default: value })
const { values: given } = parseArgs({
  options: {
    dist: text(join(root, 'dist')),
    out: text('.'),
    // A release before the release sorts before it: 1.0.0-rc.1 is 1.0.0~rc.1.
    version: text(own.version.replace('-', '~')),
    maintainer: text('The operators of this machine <root@localhost>'),
    compression: text('xz'),
  },
})

function die(what) {
  console.error(`The package cannot be built: ${what}`)
  process.exit(1)
}

if (!existsSync(join(given.dist, 'src/cli/main.js'))) die(`${given.dist} has no program. Run \`npm run build\` first.`)
const tree = mkdtempSync(join(tmpdir(), 'ussd-deb-'))
process.on('exit', () => rmSync(tree, { recursive: true, force: true }))
const at = (path) => join(tree, path)
// Modes do not hang on the umask of who builds it.
process.umask(0o022)

/** What is copied is root's, and readable by all. */
function lay(from, to, filter = () => true) {
  mkdirSync(dirname(at(to)), { recursive: true })
  cpSync(from, at(to), { recursive: true, dereference: true, filter })
}

const HOME = 'opt/ussd-connector'
const SETTINGS = 'etc/ussd-connector'
const UNITS = 'usr/lib/systemd/system'

function program() {
  const noMaps = (file) => !file.endsWith('.map')
  // Of other packages no types and no pages: half of the files, and no run reads them. Licences go along.
  const runs = (file) => !/\.(map|[cm]?ts|md)$/.test(file) || /licen[sc]e|notice|copying/i.test(basename(file))
  lay(given.dist, `${HOME}/dist`, noMaps)
  for (const name of [...own.files, 'package.json', 'LICENSE'])
    if (name !== 'dist' && !name.startsWith('!')) lay(join(root, name), `${HOME}/${name}`)
  const { packages } = JSON.parse(read('package-lock.json'))
  for (const [path, { dev, optional }] of Object.entries(packages)) {
    if (path === '' || dev) continue
    if (!existsSync(join(root, path))) {
      if (!optional) die(`${path} is missing. Run \`npm ci\` first.`)
      continue
    }
    // Packages within it come by their own entries: those of development stay behind.
    const inner = join(root, path, 'node_modules')
    lay(join(root, path), `${HOME}/${path}`, (file) => file !== inner && runs(file))
  }
  mkdirSync(at('usr/bin'), { recursive: true })
  symlinkSync(`../../${HOME}/dist/src/cli/main.js`, at('usr/bin/ussd-connector'))
}

/** The units of deploy/, under the user of the package, so that settings, data and backups have an owner with a name. */
function units() {
  mkdirSync(at(UNITS), { recursive: true })
  for (const name of ['ussd-connector.service', 'ussd-connector@.service']) {
    const unit = read(`deploy/${name}`)
    if (!/^DynamicUser=yes$/m.test(unit)) die(`deploy/${name} has no DynamicUser=yes to replace`)
    const named = unit.replace(/^DynamicUser=yes$/m, 'User=ussd-connector\nGroup=ussd-connector')
    writeFileSync(at(`${UNITS}/${name}`), named.replace('/etc/systemd/system/', `/${UNITS}/`))
  }
}

function settings() {
  lay(join(root, 'deploy/debian/connector.yaml'), `${SETTINGS}/connector.yaml`)
  lay(join(root, 'deploy/debian/welcome.yaml'), `${SETTINGS}/flows/welcome.yaml`)
  lay(join(root, 'LICENSE'), 'usr/share/doc/ussd-connector/copyright')
}

/** Files have any mode and time in a checkout: a program is one that its owner may run, and all are of the commit. */
function setModes(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) setModes(path)
    else if (entry.isFile()) {
      chmodSync(path, statSync(path).mode & 0o100 ? 0o755 : 0o644)
      utimesSync(path, epoch, epoch)
    }
  }
  chmodSync(folder, 0o755)
  utimesSync(folder, epoch, epoch)
}

function control() {
  const files = readdirSync(tree, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(tree.length + 1))
    .toSorted()
  const octets = files.reduce((sum, file) => sum + statSync(at(file)).size, 0)
  const md5 = (file) =>
    createHash('md5')
      .update(readFileSync(at(file)))
      .digest('hex')
  const sums = files.filter((file) => !file.startsWith(SETTINGS)).map((file) => `${md5(file)}  ${file}\n`)
  const kept = files.filter((file) => file.startsWith(SETTINGS)).map((file) => `/${file}\n`)
  mkdirSync(at('DEBIAN'))
  const filled = read('deploy/debian/control')
    .replace('@VERSION@', given.version)
    .replace('@MAINTAINER@', given.maintainer)
    .replace('@SIZE@', String(Math.ceil(octets / 1024)))
  writeFileSync(at('DEBIAN/control'), filled)
  writeFileSync(at('DEBIAN/md5sums'), sums.join(''))
  writeFileSync(at('DEBIAN/conffiles'), kept.join(''))
  for (const name of ['postinst', 'prerm', 'postrm']) {
    writeFileSync(at(`DEBIAN/${name}`), read(`deploy/debian/${name}`))
    chmodSync(at(`DEBIAN/${name}`), 0o755)
  }
}

const commit = spawnSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' }).stdout?.trim()
const epoch = Number(process.env.SOURCE_DATE_EPOCH ?? (commit || '0'))
program()
units()
settings()
setModes(tree)
chmodSync(at(`${HOME}/dist/src/cli/main.js`), 0o755)
control()
const file = join(resolve(given.out), `ussd-connector_${given.version}_all.deb`)
const words = ['--root-owner-group', `-Z${given.compression}`, '--build', tree, file]
const built = spawnSync('dpkg-deb', words, {
  stdio: ['ignore', 'ignore', 2],
  env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) },
})
if (built.error) die('there is no dpkg-deb here')
if (built.status !== 0) die('dpkg-deb refused it: see above')
console.log(file)
