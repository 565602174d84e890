/** The sample dental service: appointments. A back-end module as an operator would write one. */
export { backend } from './module.ts'
