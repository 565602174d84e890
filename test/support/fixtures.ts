import { startServices, stopServices } from './services.ts'

export const mochaGlobalSetup = startServices
export const mochaGlobalTeardown = stopServices
