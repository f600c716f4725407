//! Runs the API server alone: `apiserver KUBECONFIG [DATA_DIR] [ADDRESS]`. Stops on Ctrl-C or when its input ends.

use std::io::Write as _;
use std::path::PathBuf;

use purlin_apiserver::{Options, Server};
use tokio::sync::oneshot;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let kubeconfig = args
        .next()
        .ok_or("usage: apiserver KUBECONFIG [DATA_DIR] [ADDRESS]")?;
    let mut options = Options {
        data_dir: args.next().filter(|d| d != "-").map(PathBuf::from),
        ..Options::default()
    };
    if let Some(address) = args.next() {
        options.listen = address.parse()?;
    }
    let server = Server::start(options).await?;
    std::fs::write(&kubeconfig, server.kubeconfig())?;
    writeln!(std::io::stdout(), "{}", server.addr())?;
    let (ended, end) = oneshot::channel();
    std::thread::spawn(move || {
        drop(std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
        ended.send(()).ok();
    });
    tokio::select! {
        stopped = tokio::signal::ctrl_c() => stopped?,
        _ = end => {}
    }
    server.shutdown().await;
    Ok(())
}
