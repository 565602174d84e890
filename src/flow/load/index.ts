/** The flows in force: read, checked and compiled to statecharts. */
export { type Compilation, compileFlow, compilingFlow, openingOf } from './compile.ts'
export {
  asksSecret,
  type Folder,
  type FolderOptions,
  type LoadedFlow,
  recompileFolder,
  secretInClear,
} from './folder.ts'
export { flowFolder, type FlowFolder } from './unchanged.ts'
