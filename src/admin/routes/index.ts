/** The admin routes, one file each. */
export { adminRoutes } from './routes.ts'
export { auditing, type Admitted, type RouteDeps } from './shared.ts'
