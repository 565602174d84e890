/**
 * Writes an ECMAScript expression in RE2's syntax with the same meaning. The two differ in what a character, a blank
 * and an end is.
 */
import type { AST } from '@eslint-community/regexpp'
import type { Expression, Part } from './read.ts'

/** The expression in RE2's syntax, without additional anchors. */
export function inRe2({ alternatives }: Expression): string {
  return alternatives.map(({ elements }) => elements.map(written).join('')).join('|')
}

function written(part: Part): string {
  switch (part.type) {
    case 'Character':
      return character(part.value)
    case 'CharacterSet':
      return part.kind === 'any' ? NO_LINE_END : `[${member(part as AST.CharacterClassElement)}]`
    case 'CharacterClass':
      return classOf(part)
    case 'Assertion':
      return edge(part)
    case 'Group':
      return `(?:${inRe2(part)})`
    case 'CapturingGroup':
      return `(${inRe2(part)})`
    case 'Quantifier':
      return `(?:${written(part.element)})${timesOf(part)}`
    default:
      return impossible(part)
  }
}

function edge(part: AST.Assertion): string {
  if (part.kind === 'word') return part.negate ? '\\B' : '\\b'
  return part.kind === 'start' ? '\\A' : part.kind === 'end' ? '\\z' : impossible(part)
}

function timesOf({ min, max, greedy }: AST.Quantifier): string {
  return `{${min},${max === Infinity ? '' : max}}${greedy ? '' : '?'}`
}

const NO_LINE_END = '[^\\n\\r\\x{2028}\\x{2029}]'
/** ECMA-262, CharacterClassEscape. RE2's `\s` covers only the blanks of ASCII. */
const SPACE =
  '\\t\\n\\x{b}\\f\\r\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}'
const NO_SPACE =
  '\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}' +
  '\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}'
const ALL = '\\x{0}-\\x{10ffff}'

function classOf(part: AST.CharacterClass): string {
  // An empty class matches nothing, and its negation matches everything; RE2 has neither.
  const inner = part.elements.length === 0 ? ALL : part.elements.map(member).join('')
  return part.negate === (part.elements.length === 0) ? `[${inner}]` : `[^${inner}]`
}

function member(part: AST.CharacterClassElement): string {
  if (part.type === 'Character') return character(part.value)
  if (part.type === 'CharacterClassRange') return `${character(part.min.value)}-${character(part.max.value)}`
  if (part.type !== 'CharacterSet') return impossible(part)
  if (part.kind === 'property') return property(part)
  if (part.kind === 'digit') return part.negate ? '\\D' : '\\d'
  if (part.kind === 'word') return part.negate ? '\\W' : '\\w'
  return part.negate ? NO_SPACE : SPACE
}

function property({ key, value, negate }: AST.UnicodePropertyCharacterSet): string {
  const name = value === null ? key : /^(gc|General_Category)$/.test(key) ? (CATEGORIES[value] ?? value) : value
  return `\\${negate ? 'P' : 'p'}{${name}}`
}

function character(value: number): string {
  return `\\x{${value.toString(16)}}`
}

function impossible(part: { type: string }): never {
  throw new Error(`${part.type} must be refused before`)
}

/** RE2 knows the short names of general categories only. (Unicode, PropertyValueAliases) */
const CATEGORIES: Readonly<Record<string, string>> = {
  Letter: 'L',
  Cased_Letter: 'LC',
  Uppercase_Letter: 'Lu',
  Lowercase_Letter: 'Ll',
  Titlecase_Letter: 'Lt',
  Modifier_Letter: 'Lm',
  Other_Letter: 'Lo',
  Mark: 'M',
  Combining_Mark: 'M',
  Nonspacing_Mark: 'Mn',
  Spacing_Mark: 'Mc',
  Enclosing_Mark: 'Me',
  Number: 'N',
  Decimal_Number: 'Nd',
  digit: 'Nd',
  Letter_Number: 'Nl',
  Other_Number: 'No',
  Symbol: 'S',
  Math_Symbol: 'Sm',
  Currency_Symbol: 'Sc',
  Modifier_Symbol: 'Sk',
  Other_Symbol: 'So',
  Punctuation: 'P',
  punct: 'P',
  Connector_Punctuation: 'Pc',
  Dash_Punctuation: 'Pd',
  Open_Punctuation: 'Ps',
  Close_Punctuation: 'Pe',
  Initial_Punctuation: 'Pi',
  Final_Punctuation: 'Pf',
  Other_Punctuation: 'Po',
  Separator: 'Z',
  Space_Separator: 'Zs',
  Line_Separator: 'Zl',
  Paragraph_Separator: 'Zp',
  Other: 'C',
  Control: 'Cc',
  cntrl: 'Cc',
  Format: 'Cf',
  Surrogate: 'Cs',
  Private_Use: 'Co',
  Unassigned: 'Cn',
}
