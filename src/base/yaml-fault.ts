/** Faults of YAML in words: the parser tells one wrong blank as five faults, in its own terms. */

interface Parsed {
  code: string
  message: string
  pos: [number, number]
}

/** The first fault of a document; what follows it is mostly its echo. Undefined: there is none. */
export function firstYamlFault(
  errors: readonly Parsed[],
  source: string,
): { at: number; what: string; remedy?: string } | undefined {
  const [first] = errors.toSorted((a, b) => a.pos[0] - b.pos[0])
  if (!first) return undefined
  const at = first.pos[0]
  const said = SAID[first.code]
  if (said) return { at: said.isNext ? nextLine(source, at) : at, what: said.what, remedy: said.remedy }
  return { at, what: `the file is not valid YAML: ${first.message.split('\n')[0]}` }
}

const BLANKS = 'blanks at the beginning of a line say what belongs to what: keys of one group begin in one column'

const SAID: Record<string, { what: string; remedy: string; isNext?: boolean }> = {
  TAB_AS_INDENT: { what: 'the line begins with a tab', remedy: 'indent with blanks' },
  BAD_INDENT: { what: 'the line begins in another column than those that it belongs to', remedy: BLANKS },
  BLOCK_AS_IMPLICIT_KEY: {
    what: 'the line is indented further than the one before it, which has its value already',
    remedy: BLANKS,
    isNext: true,
  },
  MULTILINE_IMPLICIT_KEY: {
    what: 'the line is indented further than the one before it, which has its value already',
    remedy: BLANKS,
    isNext: true,
  },
  UNEXPECTED_TOKEN: { what: 'the line does not belong to what is above it', remedy: BLANKS },
  MISSING_CHAR: { what: 'something is missing before this: a quote, a bracket, a colon or a dash', remedy: BLANKS },
  DUPLICATE_KEY: { what: 'the key is there twice', remedy: 'remove one of them' },
}

/** The beginning of the words of the next line. */
function nextLine(source: string, at: number): number {
  const end = source.indexOf('\n', at)
  if (end < 0) return at
  return end + 1 + (/^\s*/.exec(source.slice(end + 1))?.[0].length ?? 0)
}
