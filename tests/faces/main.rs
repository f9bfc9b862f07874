//! Faces that other crates know, proved with clients and servers that nobody here wrote: two
//! systems on a cable, in real time.

mod blocking;
mod edge;
mod futures;
mod http;
mod nal;
mod names;
mod outside;
mod pair;
mod tls;
