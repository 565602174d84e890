/** `flow new`: a first flow with its talk and its back end, which `check --strict` and `talk` accept as it is. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { UsageError } from '../../base/index.ts'
import type { Say } from '../arguments.ts'

export interface NewFlowOptions {
  dir: string
}

const NAME = /^[a-z][a-z0-9-]{0,40}$/

export function newFlow(name: string, { dir }: NewFlowOptions, say: Say): void {
  if (!NAME.test(name))
    throw new UsageError(`'${name}' is not a name for a flow: small letters, digits and -, beginning with a letter`)
  const paths = FILES.map(([file, text]) => ({
    path: join(dir, file.replace('NAME', name)),
    text: text.replaceAll('NAME', name),
  }))
  const there = paths.filter(({ path }) => existsSync(path)).map(({ path }) => path)
  if (there.length > 0) throw new UsageError(`${there.join(', ')} exists already: choose another name, or move it away`)
  for (const { path, text } of paths) {
    mkdirSync(dirname(path), { recursive: true })
    // Fails if somebody else has made it meanwhile.
    writeFileSync(path, text, { flag: 'wx' })
    say(path)
  }
  say(`\nussd-connector dev ${dir}      a phone on it in the browser, and what is wrong at each save`)
  say(`ussd-connector check ${dir}    what is wrong, for CI`)
  say(`ussd-connector talk ${dir}     its conversations, played again`)
}

const FLOW = `# A first version: replace the texts, the screens and the calls by your own.
# Every key: docs/flows/REFERENCE.md. Whole examples: docs/flows/COOKBOOK.md.
flow: NAME
spec: 1
start: main
languages: [en]
keys: { back: '0' }
screens:
  main:
    menu: Welcome.
    choices:
      - { label: Balance, to: balance }
      - { label: Send airtime, to: amount }
      - { label: Exit, to: out }

  # Reads something. What it answers is data.balance.
  balance: { call: NAME.balance, to: show }
  show: { end: 'You have K{data.balance.amount, number, money}.' }

  # Changes something: so it is confirmed first, a deep dial stops before it, and it is made once.
  amount:
    input: 'How much (3-100)?'
    number: { min: 3, max: 100 }
    wrong: Whole kina from 3 to 100.
    to: sure
  sure:
    menu: 'Send K{answers.amount, number, money}?'
    choices: [{ label: Send, to: send }]
  send:
    call: NAME.send
    with: { amount: '{answers.amount}' }
    to: sent
    refused: { insufficient: poor }
    failed: unknown
  sent: { end: 'Sent. Reference {data.send.reference}.' }
  poor: { end: You have too little. Nothing was sent. }
  # Nobody knows whether it was sent: say so, and do not offer it again.
  unknown: { end: We could not find out whether it was sent. Look at your balance before you try again. }
  out: { exit: true }
`

const BACKEND = `# What the back end can be asked. The settings say where it is: backends: { NAME: { http: { url: … } } }
backend: NAME
spec: 1
operations:
  balance:
    does: reads
    answers: { amount: { is: number, min: 0, max: 10000 } }
    refusals: {}
  send:
    does: changes
    answers: { reference: { is: text, max: 12 } }
    refusals: { insufficient: {} }
`

const TALK = `# Conversations that show that the flow works: ussd-connector talk. What back ends answer is said here.
flow NAME
code *101#
backend NAME.balance {"amount": 50}
backend NAME.send {"reference": "A000001"}

talk A balance is shown
dial *101#
< Welcome.
< 1. Balance
< 2. Send airtime
< 3. Exit
> 1
< You have K50.00.
ended completed

talk Airtime is sent after a confirmation
dial *101#
> 2
< How much (3-100)?
< 0. Back
> 2
< Whole kina from 3 to 100.
< How much (3-100)?
< 0. Back
> 10
< Send K10.00?
< 1. Send
< 0. Back
> 0
> 20
> 1
called NAME.send {"amount": 20}
< Sent. Reference A000001.
ended completed

talk Too little money
refuse NAME.send insufficient
dial *101#
> 2
> 100
> 1
< You have too little. Nothing was sent.
ended completed

talk Nobody knows whether it was sent
fail NAME.send late
dial *101#
> 2
> 100
> 1
< We could not find out whether it was sent. Look at your balance before you try again.
ended backend-failed

talk The balance cannot be had
fail NAME.balance down
dial *101#
> 1
< Service busy. Please try again later.
ended backend-failed

talk A deep dial stops before an amount is typed
dial *101*2*20#
< How much (3-100)?
< 0. Back

talk Out
dial *101#
> 2
> 0
> 0
> 3
ended exit
`

const FILES = [
  ['NAME.yaml', FLOW],
  ['NAME.talk', TALK],
  ['backends/NAME.yaml', BACKEND],
] as const
