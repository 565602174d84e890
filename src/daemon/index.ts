/** Wiring only: builds everything from the settings, starts and stops it. */
export {
  absentSamples,
  configuredModules,
  contractOfApp,
  createBackends,
  declaredBy,
  loadModule,
  type LoadedModule,
  type ModuleHost,
  smsCallable,
} from './backends/index.ts'
export { type DaemonOptions, startDaemon } from './daemon.ts'
export { profileDirs, wishesOf } from './lines/index.ts'
export { pinPepperOf } from './pin-pepper.ts'
export { serverOf } from './postgres-server.ts'
export { forgottenByFleet, personalDeps } from './personal.ts'
export { recordingOf } from './records.ts'
export { runDaemon } from './run.ts'
export { daemonName, inData, logKey } from './runtime.ts'
export { openStores } from './stores.ts'
export { startSampleWallet, sampleModule } from './samples.ts'
export { tlsOf } from './tls.ts'
