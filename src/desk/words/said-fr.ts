/** What the daemon says in English, in French: reasons, remedies, ends of dialogues. All else stays as it is. */

const EXACT: Readonly<Record<string, string>> = {}

export function saidInFrench(text: string): string {
  return EXACT[text] ?? text
}
