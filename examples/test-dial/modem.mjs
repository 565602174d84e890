#!/usr/bin/env node
/**
 * A dialler for test dials through the network (docs/OPERATIONS.md, "Test dials"): a GSM modem with a SIM, by
 * ModemManager. `node modem.mjs [PORT] [MODEM]`, on the machine that has the modem; needs mmcli and no package.
 *
 *   POST /dial     {"code": "*123#", "withinMs": 10000}  ->  200 {"text": "first screen"}, or 504 {"failed": "no screen"}
 *   POST /hang-up                                        ->  200 {}
 *
 * It listens on loopback. From elsewhere put a proxy with TLS and a token in front.
 */
import { execFile } from 'node:child_process'
import { createServer } from 'node:http'

const [port = '8390', modem = 'any'] = process.argv.slice(2)
const CODE = /^[*#]{1,3}\d{1,20}([*#]\d{1,20}){0,8}#$/
const BODY_OCTETS_MAX = 1_000

/** The words are given one by one: no shell reads the code. */
function mmcli(word, timeoutMs) {
  return new Promise((done) =>
    execFile(process.env.MMCLI ?? 'mmcli', ['-m', modem, word], { timeout: timeoutMs }, (error, stdout) =>
      done({ ok: !error, said: stdout }),
    ),
  )
}

/** mmcli says: `USSD session initiated; new reply from network: 'Welcome'`. */
export function replyIn(said) {
  return /new reply from network: '([\s\S]*)'\s*$/.exec(said)?.[1]
}

async function dial({ code = '', withinMs = 10_000 }) {
  if (!CODE.test(code)) return [400, { failed: 'not a code' }]
  const { ok, said } = await mmcli(`--3gpp-ussd-initiate=${code}`, Math.min(Number(withinMs) || 10_000, 60_000))
  const text = replyIn(said)
  return ok && text !== undefined ? [200, { text }] : [504, { failed: 'no screen' }]
}

async function bodyOf(request) {
  let body = ''
  for await (const chunk of request) if ((body += chunk).length > BODY_OCTETS_MAX) throw new Error('too long')
  return body === '' ? {} : JSON.parse(body)
}

async function answered(request) {
  if (request.method !== 'POST') return [405, { failed: 'POST only' }]
  const asked = await bodyOf(request).catch(() => null)
  if (asked === null || typeof asked !== 'object') return [400, { failed: 'not JSON' }]
  if (request.url === '/dial') return dial(asked)
  if (request.url !== '/hang-up') return [404, { failed: 'try /dial or /hang-up' }]
  await mmcli('--3gpp-ussd-cancel', 5_000)
  return [200, {}]
}

createServer(async (request, response) => {
  const [status, body] = await answered(request)
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}).listen(Number(port), '127.0.0.1', function () {
  process.stdout.write(`dialling with modem ${modem}: http://127.0.0.1:${this.address().port}/dial\n`)
})
