//! A function that is not in this process: called where its manifest says it listens.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use purlin_function::{Functions, Ready, Response, RunFunctionRequest, RunFunctionResponse};
use purlin_object::Object;
use purlin_proto::v1::function_runner_service_server::{
    FunctionRunnerService, FunctionRunnerServiceServer,
};
use purlin_render::{Inputs, Show, Text, Texts, render};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Status};

struct Mine;

#[tonic::async_trait]
impl FunctionRunnerService for Mine {
    async fn run_function(
        &self,
        request: Request<RunFunctionRequest>,
    ) -> Result<tonic::Response<RunFunctionResponse>, Status> {
        let mut response = Response::to(request.get_ref());
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine"}});
        response.set_desired("mine", Object::from_json(object).unwrap(), Ready::True);
        Ok(tonic::Response::new(response.build()))
    }
}

async fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = FunctionRunnerServiceServer::new(Mine);
    let server = tonic::transport::Server::builder().add_service(service);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

fn text(name: &str, content: String) -> Text {
    Text {
        name: name.to_owned(),
        content,
    }
}

#[tokio::test]
async fn a_function_elsewhere_is_called_at_its_address() {
    let address = serve().await;
    let function = json!({"apiVersion": "pkg.crossplane.io/v1", "kind": "Function", "metadata": {"name": "mine"}});
    let composition = json!({
        "apiVersion": "apiextensions.crossplane.io/v1", "kind": "Composition", "metadata": {"name": "app"},
        "spec": {
            "compositeTypeRef": {"apiVersion": "example.org/v1", "kind": "XApp"},
            "pipeline": [{"step": "one", "functionRef": {"name": "mine"}}],
        },
    });
    let xr = json!({"apiVersion": "example.org/v1", "kind": "XApp", "metadata": {"name": "app"}});
    let texts = Texts {
        xr: text("xr.yaml", xr.to_string()),
        composition: text("composition.yaml", composition.to_string()),
        modules: Vec::new(),
        functions: vec![text("functions.yaml", function.to_string())],
        observed: Vec::new(),
        required: Vec::new(),
        schemas: Vec::new(),
        credentials: Vec::new(),
        xrd: None,
        context: Vec::new(),
    };
    // The annotations may come from the command line as well.
    let pair = |key: &str, value: String| (key.to_owned(), value);
    let annotations = [
        pair("render.crossplane.io/runtime", "Development".to_owned()),
        pair(
            "render.crossplane.io/runtime-development-target",
            format!("dns:///{address}"),
        ),
    ];
    let (inputs, found) = Inputs::read(&texts, &annotations);
    assert!(found.is_empty(), "{found:?}");
    let inputs = inputs.unwrap();
    let none = Arc::new(Functions::new([]));
    let rendered = render(&inputs, &none, Duration::from_secs(20), Show::default());
    let documents = rendered.await.unwrap().documents;
    assert_eq!(documents[1]["metadata"]["name"], "mine");
    assert_eq!(
        documents[0]["status"]["conditions"][2]["reason"],
        "Available"
    );
}
