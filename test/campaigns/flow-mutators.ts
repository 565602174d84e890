/**
 * Ways in which a flow's files come to be broken, by a slip of the hand or a torn copy. Seeded: the same chance, the
 * same file.
 */
import type { Chance } from '../../src/ussd/vocabulary.ts'

/** The files of a folder, by name. */
export type Files = ReadonlyMap<string, Buffer>

export type FlowMutator = (files: Files, chance: Chance) => Map<string, Buffer>

const MAIN = 'dental.yaml'
const CATALOGUE = 'dental.tpi.yaml'

const pick = <T>(from: readonly T[], chance: Chance): T => from[Math.floor(chance() * from.length)]!
const within = (length: number, chance: Chance) => Math.floor(chance() * length)

/** Changes one of the two files as text. */
function edited(files: Files, chance: Chance, edit: (text: string, chance: Chance) => string): Map<string, Buffer> {
  const name = chance() < 0.8 ? MAIN : CATALOGUE
  return new Map(files).set(name, Buffer.from(edit(files.get(name)!.toString(), chance)))
}

function lineWise(edit: (lines: string[], at: number, chance: Chance) => void): FlowMutator {
  return (files, chance) =>
    edited(files, chance, (text) => {
      const lines = text.split('\n')
      edit(lines, within(lines.length, chance), chance)
      return lines.join('\n')
    })
}

/** Replaces one match of a pattern. */
function replaced(pattern: RegExp, by: (found: string, chance: Chance) => string): FlowMutator {
  return (files, chance) =>
    edited(files, chance, (text) => {
      const found = [...text.matchAll(pattern)]
      if (!found.length) return text
      const { 0: whole, index } = pick(found, chance)
      return text.slice(0, index) + by(whole, chance) + text.slice(index + whole.length)
    })
}

const MIB = 1_048_576
const YAML_SIGNS = [
  '{',
  '}',
  '[',
  ']',
  ':',
  '"',
  "'",
  '&a',
  '*a',
  '!!js/function',
  '\t',
  '%',
  '@',
  '`',
  '|',
  '>',
  '- ',
  '? ',
  '<<: *x',
  '\u0000',
]

export const FLOW_MUTATORS: Readonly<Record<string, FlowMutator>> = {
  'a sign of YAML too many': (files, chance) =>
    edited(files, chance, (text) => {
      const at = within(text.length, chance)
      return text.slice(0, at) + pick(YAML_SIGNS, chance) + text.slice(at)
    }),
  'a character lost': (files, chance) =>
    edited(files, chance, (text) => {
      const at = within(text.length, chance)
      return text.slice(0, at) + text.slice(at + 1)
    }),
  'a line lost': lineWise((lines, at) => void lines.splice(at, 1)),
  'a line twice': lineWise((lines, at) => void lines.splice(at, 0, lines[at]!)),
  'a line moved in': lineWise((lines, at, chance) => void (lines[at] = ' '.repeat(1 + within(6, chance)) + lines[at]!)),
  'lines swapped': lineWise((lines, at, chance) => {
    const other = within(lines.length, chance)
    ;[lines[at], lines[other]] = [lines[other]!, lines[at]!]
  }),
  'a screen deleted': (files, chance) =>
    new Map(files).set(MAIN, Buffer.from(withoutScreen(files.get(MAIN)!.toString(), chance))),
  'a name misspelt': replaced(/\b(to|back|empty|failed|else|start): [a-z][a-z0-9-]*/g, (found) => `${found}x`),
  'a key misspelt': replaced(/^ +[a-z]+:/gm, (found) => found.replace(/.:$/, 'q:')),
  'a wrong type': replaced(
    /: [^\n{}[\],]+/g,
    (_found, chance) => `: ${pick(['[1, 2]', '{ a: 1 }', '-7', 'null', 'true', '""'], chance)}`,
  ),
  'a call of nothing': replaced(
    /call: dental\.[a-z]+/gi,
    (_found, chance) => `call: ${pick(['nobody.profile', 'dental', '"http://10.0.0.1/"'], chance)}`,
  ),
  'a path from nowhere': replaced(/\{(data|answers|chosen|row)\.[^}]*\}/g, (found) =>
    found.replace(/\{\w+/, '{nowhere'),
  ),
  'a brace unclosed': replaced(/\{(data|answers|chosen|row)\.[^}]*\}/g, (found) => found.slice(0, -1)),
  'half written': (files, chance) => {
    const name = chance() < 0.8 ? MAIN : CATALOGUE
    const whole = files.get(name)!
    return new Map(files).set(name, whole.subarray(0, within(whole.length, chance)))
  },
  empty: (files, chance) => new Map(files).set(pick([MAIN, CATALOGUE], chance), Buffer.alloc(0)),
  binary: (files, chance) => {
    const octets = Buffer.from(Array.from({ length: 1 + within(4_096, chance) }, () => within(256, chance)))
    return new Map(files).set(pick([MAIN, CATALOGUE], chance), octets)
  },
  'another encoding': (files) => new Map(files).set(MAIN, Buffer.from(files.get(MAIN)!.toString(), 'utf16le')),
  huge: (files, chance) => {
    const more = Buffer.alloc(MIB + within(8 * MIB, chance), `  # ${'x'.repeat(76)}\n`)
    return new Map(files).set(MAIN, Buffer.concat([files.get(MAIN)!, more]))
  },
  'aliases without end': (files) => {
    const bomb = [
      'a0: &a0 [x, x]',
      ...Array.from({ length: 30 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n}, *a${n}]`),
    ].join('\n')
    return new Map(files).set(MAIN, Buffer.concat([Buffer.from(`${bomb}\n`), files.get(MAIN)!]))
  },
  'nested without end': (files, chance) =>
    new Map(files).set(
      MAIN,
      Buffer.concat([files.get(MAIN)!, Buffer.from(`\nx: ${'['.repeat(1_000 + within(20_000, chance))}`)]),
    ),
  'files swapped': (files) => new Map(files).set(MAIN, files.get(CATALOGUE)!).set(CATALOGUE, files.get(MAIN)!),
  'a catalogue of another language': (files) =>
    new Map(files)
      .set(
        'dental.fr.yaml',
        Buffer.from(
          files
            .get(CATALOGUE)!
            .toString()
            .replace(/^language: .*$/m, 'language: xx'),
        ),
      )
      .set('dental.xx.yaml', Buffer.from(files.get(CATALOGUE)!.toString())),
  'another flow under its name': (files) => new Map(files).set(MAIN, files.get('topup.yaml')!),
}

function withoutScreen(text: string, chance: Chance): string {
  const lines = text.split('\n')
  const starts = lines.flatMap((line, i) => (/^ {2}[a-z][a-z0-9-]*:/.test(line) ? [i] : []))
  const from = pick(starts, chance)
  const to = starts.find((start) => start > from) ?? lines.length
  return [...lines.slice(0, from), ...lines.slice(to)].join('\n')
}
