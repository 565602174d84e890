/** What the daemon says in English, in French: reasons, remedies, how dialogues ended. What is not here stays as it is. */

const EXACT: Readonly<Record<string, string>> = {}

export function saidInFrench(text: string): string {
  return EXACT[text] ?? text
}
