/** `completion`: a script that completes commands and options in a shell. */
import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import type { Say } from '../arguments.ts'

export function registerCompletion(program: Command, say: Say): void {
  program
    .command('completion')
    .description('prints a script for your shell: source <(ussd-connector completion bash)')
    .argument('<shell>', 'bash')
    .action((shell: string) => {
      if (shell !== 'bash') throw new InvalidArgumentError(`there is no completion for '${shell}': bash only`)
      say(bashCompletion(program))
    })
}

/** Words after each command: its own commands and its options. Else names of files. */
export function bashCompletion(program: Command): string {
  const cases = wordsOf(program, '').map(([path, words]) => `    '${path}') words='${words.join(' ')}' ;;`)
  return `_ussd_connector() {
  local cur=\${COMP_WORDS[COMP_CWORD]} path='' word words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $word" in
${commandPaths(program, '')
  .map((path) => `      '${path}') path='${path}' ;;`)
  .join('\n')}
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o bashdefault -o default -F _ussd_connector ussd-connector`
}

function commandPaths(command: Command, path: string): string[] {
  return command.commands.flatMap((one) => [`${path} ${one.name()}`, ...commandPaths(one, `${path} ${one.name()}`)])
}

function wordsOf(command: Command, path: string): [path: string, words: string[]][] {
  const options = command.options.flatMap(({ long, hidden }) => (long && !hidden ? [long] : []))
  const own: [string, string[]] = [path, [...command.commands.map((one) => one.name()), ...options, '--help']]
  return [own, ...command.commands.flatMap((one) => wordsOf(one, `${path} ${one.name()}`))]
}
