/** A flow of three screens, for tests of how far its subscribers come. */

/** `word`: the title of its first screen; another one is another revision. */
export const surveyFlow = (word: string) => `
flow: survey
spec: 1
languages: [en]
start: main
screens:
  main: { menu: "${word}", choices: [ { label: Rate us, to: rate }, { label: No, to: bye } ] }
  rate: { input: "From 1 to 5:", number: { min: 1, max: 5 }, wrong: "From 1 to 5.", to: bye }
  bye: { end: Thank you. }
`
