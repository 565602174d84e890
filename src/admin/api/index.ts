/** The API of the admin server as documents: OpenAPI 3.1, and a collection for Postman. */
export { openApiDocument, type ApiDocument } from './document.ts'
export { postmanCollection } from './postman.ts'
