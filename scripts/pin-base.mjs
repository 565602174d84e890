// Writes the digest of the base image into the Dockerfile, as its registry has it now: `npm run pin`, before a release, or
//   node scripts/pin-base.mjs [--check] [--file Dockerfile] [--registry https://registry-1.docker.io]
// --check asks nobody: exit code 1 where there is no digest. A digest is of all platforms of the tag. Look at the change,
// build, and commit it.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const text = (value) => ({ type: 'string', default: value })
const { values: given } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    file: text(join(import.meta.dirname, '../Dockerfile')),
    registry: text('https://registry-1.docker.io'),
  },
})

function die(what) {
  console.error(what)
  process.exit(1)
}

const LINE = /^(ARG NODE_IMAGE=)([a-z0-9./_-]+):([\w.-]+)(?:@(sha256:[0-9a-f]{64}))?$/m
const ACCEPT = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
].join(', ')
const ANSWER_MS = 20_000

const file = readFileSync(given.file, 'utf8')
const found = LINE.exec(file)
if (!found) die(`${given.file}: there is no line ARG NODE_IMAGE=name:tag`)
const [line, lead, name, tag, before] = found
if (given.check) {
  if (!before)
    die(`${given.file}: ${name}:${tag} has no digest. Run \`npm run pin\` where its registry can be reached.`)
  console.log(`${name}:${tag} is pinned to ${before}`)
  process.exit(0)
}

/** An image without a folder is one of Docker's own. */
const repository = name.includes('/') ? name : `library/${name}`

async function ask(url, headers) {
  const signal = AbortSignal.timeout(ANSWER_MS)
  return fetch(url, { method: 'HEAD', headers: { accept: ACCEPT, ...headers }, signal, redirect: 'error' })
}

/** The token that the registry's refusal says where to get. (distribution spec, token authentication) */
async function tokenFor(refusal) {
  const said = Object.fromEntries(
    [...(refusal.headers.get('www-authenticate') ?? '').matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [
      key,
      value,
    ]),
  )
  if (!said.realm) throw new Error('it refuses us, and does not say where to get a token')
  const url = new URL(said.realm)
  if (said.service) url.searchParams.set('service', said.service)
  url.searchParams.set('scope', `repository:${repository}:pull`)
  const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) })
  if (!answer.ok) throw new Error(`${url.origin} gives no token: ${answer.status}`)
  const { token, access_token: other } = await answer.json()
  return token ?? other
}

async function digestOf() {
  const url = `${given.registry.replace(/\/+$/, '')}/v2/${repository}/manifests/${tag}`
  const first = await ask(url, {})
  const answer = first.status === 401 ? await ask(url, { authorization: `Bearer ${await tokenFor(first)}` }) : first
  if (!answer.ok) throw new Error(`it answers ${answer.status}`)
  const digest = answer.headers.get('docker-content-digest') ?? ''
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) throw new Error('it names no digest')
  return digest
}

const digest = await digestOf().catch((error) =>
  die(
    `${given.registry} gives no digest of ${name}:${tag}: ${error.cause?.message ?? error.message}. ${given.file} is as it was.`,
  ),
)
if (digest === before) console.log(`${name}:${tag} is ${digest}, as before`)
else {
  writeFileSync(given.file, file.replace(line, `${lead}${name}:${tag}@${digest}`))
  console.log(`${name}:${tag} is ${digest} now${before ? `, and was ${before}` : ''}: written to ${given.file}`)
}
