/** Web-hooks: applications are told what became of their SMS. */
export { createHooks, type Hooks } from './hooks.ts'
