// Public exports only.
export { CorvidError, type ErrorCode } from './errors.js';
