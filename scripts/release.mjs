// Makes a release of the commit that is checked out: `npm run release -- --gpg-key KEY`, or
//   node scripts/release.mjs [--dry-run] [--out FOLDER] [--gpg-key ID | --minisign-key FILE | --unsigned]
//                            [--allow-unpinned] [--no-deb]
// Checks that the tree is clean, that version, lock file and CHANGELOG agree, and that the tag is free; makes notes, the
// package of npm, the Debian package where dpkg-deb is, the bill of materials and SHA256SUMS; signs that; and tags. It
// pushes and publishes nothing: it prints how. --dry-run does all of it but signature and tag, and keeps no file.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const root = join(import.meta.dirname, '..')
const yes = { type: 'boolean', default: false }
const { values: given } = parseArgs({
  options: {
    'dry-run': yes,
    out: { type: 'string', default: 'release' },
    'gpg-key': { type: 'string' },
    'minisign-key': { type: 'string' },
    unsigned: yes,
    'allow-unpinned': yes,
    'no-deb': yes,
  },
})

const read = (file) => readFileSync(join(root, file), 'utf8')
const run = (program, words, how = {}) => spawnSync(program, words, { cwd: root, encoding: 'utf8', ...how })
/** Its output. Ends the release if it fails. */
function done(program, ...words) {
  const { status, stdout, stderr, error } = run(program, words)
  if (status !== 0) stop([`${program} ${words.join(' ')} failed: ${error?.message ?? `${stdout}${stderr}`.trim()}`])
  return stdout.trim()
}

function stop(problems) {
  for (const problem of problems) console.error(`- ${problem}`)
  console.error('Nothing is released.')
  process.exit(1)
}

const { version } = JSON.parse(read('package.json'))
const tag = `v${version}`

/** What the CHANGELOG says of this version: its heading has the day. */
function notesIn(changelog) {
  const escaped = version.replaceAll('.', '\\.')
  const section = new RegExp(`^## ${escaped} \\((\\d{4}-\\d{2}-\\d{2})\\)\\n([^]*?)(?=^## |$(?![^]))`, 'm').exec(
    changelog,
  )
  return section?.[2].trim()
}

function problemsNow(notes) {
  const lock = JSON.parse(read('package-lock.json'))
  const problems = []
  if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) problems.push(`package.json: ${version} is not a version`)
  for (const [where, of] of [
    ['version', lock.version],
    ['packages', lock.packages[''].version],
  ])
    if (of !== version)
      problems.push(
        `package-lock.json (${where}): ${of}, and package.json has ${version}: npm install --package-lock-only`,
      )
  if (!notes) problems.push(`CHANGELOG.md: there is no "## ${version} (YYYY-MM-DD)" with something below it`)
  if (done('git', 'status', '--porcelain')) problems.push('git: the tree is not clean: commit, or take back')
  if (run('git', ['rev-parse', '-q', '--verify', `refs/tags/${tag}`]).status === 0)
    problems.push(`git: there is a tag ${tag} already: raise the version`)
  if (!given['allow-unpinned'] && run(process.execPath, ['scripts/pin-base.mjs', '--check']).status !== 0)
    problems.push('Dockerfile: the base image has no digest: npm run pin, or --allow-unpinned')
  if (!existsSync(join(root, 'node_modules/typescript'))) problems.push('node_modules: run `npm ci` first')
  const signs = ['gpg-key', 'minisign-key', 'unsigned'].filter((one) => given[one])
  if (!given['dry-run'] && signs.length !== 1) problems.push('say one of --gpg-key, --minisign-key, --unsigned')
  return problems
}

/** Into the folder: the files of the release, in the order of their names. */
function makeFiles(folder, notes) {
  writeFileSync(join(folder, 'NOTES.md'), `${notes}\n`)
  done('npm', 'pack', '--silent', '--pack-destination', folder)
  if (!given['no-deb'] && !run('dpkg-deb', ['--version']).error)
    done(process.execPath, 'scripts/deb.mjs', '--out', folder)
  writeFileSync(join(folder, 'sbom.json'), `${done(process.execPath, 'scripts/sbom.mjs')}\n`)
  const names = readdirSync(folder).toSorted()
  const sums = names.map((name) => {
    const hash = createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex')
    return `${hash}  ${name}`
  })
  writeFileSync(join(folder, 'SHA256SUMS'), `${sums.join('\n')}\n`)
  return sums
}

/** Of SHA256SUMS, which has the hashes of all other files. */
function sign(folder) {
  const sums = join(folder, 'SHA256SUMS')
  if (given['gpg-key']) {
    done('gpg', '--batch', '--yes', '--armor', '--local-user', given['gpg-key'], '--detach-sign', sums)
    return 'SHA256SUMS.asc'
  }
  if (!given['minisign-key']) return undefined
  done('minisign', '-S', '-s', given['minisign-key'], '-m', sums, '-t', `ussd-connector ${version}`)
  return 'SHA256SUMS.minisig'
}

const notes = notesIn(read('CHANGELOG.md'))
const problems = problemsNow(notes)
if (problems.length > 0) stop(problems)
const folder = given['dry-run'] ? mkdtempSync(join(tmpdir(), 'ussd-release-')) : resolve(given.out, version)
if (given['dry-run']) process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
else if (existsSync(folder)) stop([`${folder} is there already: remove it, or say --out`])
mkdirSync(folder, { recursive: true })
const sums = makeFiles(folder, notes)
console.log(sums.join('\n'))
// A build that writes into the tree would be no build of this commit.
if (done('git', 'status', '--porcelain')) stop(['git: the build has changed the tree'])
if (given['dry-run']) {
  console.log(`\nThis would be ${tag}: the tag and the signature are left out, and no file is kept.`)
  process.exit(0)
}
const signature = sign(folder)
const message = ['-m', `ussd-connector ${version}`, '-m', notes]
done(
  'git',
  'tag',
  '--cleanup=whitespace',
  ...(given['gpg-key'] ? ['-s', '-u', given['gpg-key']] : ['-a']),
  tag,
  ...message,
)
console.log(`
${tag} is tagged, and its files are in ${folder}${signature ? `, signed in ${signature}` : ', not signed'}.
To publish it:
  git push origin ${tag}
  npm publish ${join(
    folder,
    readdirSync(folder).find((name) => name.endsWith('.tgz')),
  )}`)
