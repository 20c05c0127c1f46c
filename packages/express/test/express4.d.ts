// Version 4 under another name; the types of version 5 are close enough for what the tests do.
declare module 'express4' {
  export { default } from 'express';
}
