/** The admin routes, one file each. */
export { adminRoutes } from './routes.ts'
export type { Admitted } from './shared.ts'
