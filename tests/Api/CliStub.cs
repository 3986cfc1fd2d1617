using System.Collections.Concurrent;
using ControlPlane.Cli;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ControlPlane.Api.Tests;

/// <summary>A server that answers what a test tells it to, and keeps what it was asked.</summary>
sealed class CliStub : IAsyncDisposable
{
    readonly WebApplication _web;
    readonly ConcurrentDictionary<string, Func<HttpContext, Task>> _answers = new();

    CliStub()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _web = builder.Build();
        _web.Run(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            Asked.Enqueue(new Seen(
                context.Request.Method,
                context.Request.HttpContext.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()!.RawTarget,
                context.Request.Headers.ToDictionary(pair => pair.Key, pair => pair.Value.ToString(), StringComparer.OrdinalIgnoreCase),
                await reader.ReadToEndAsync()));
            var path = $"{context.Request.Method} {context.Request.Path}";
            await (_answers.TryGetValue(path, out var answer) ? answer(context) : Json(context, 404, """{"status":404,"code":"stub.nothing","title":"Nothing here"}"""));
        });
    }

    public ConcurrentQueue<Seen> Asked { get; } = new();

    public string Url => _web.Urls.Single();

    public Seen Only => Assert.Single(Asked);

    public static async Task<CliStub> Start()
    {
        var stub = new CliStub();
        await stub._web.StartAsync();
        return stub;
    }

    public CliStub On(string request, int status, string json, params (string Name, string Value)[] headers) => On(request, context =>
    {
        foreach (var (name, value) in headers)
        {
            context.Response.Headers[name] = value;
        }

        return Json(context, status, json);
    });

    public CliStub On(string request, Func<HttpContext, Task> answer)
    {
        _answers[request] = answer;
        return this;
    }

    /// <summary>Runs cpctl against this server, in this process.</summary>
    public Task<CliRun> Run(params string[] args) => CliRun.Of(["--server", Url, .. args]);

    public static Task Json(HttpContext context, int status, string json)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = status < 400 ? "application/json" : "application/problem+json";
        return json.Length == 0 ? Task.CompletedTask : context.Response.WriteAsync(json);
    }

    public ValueTask DisposeAsync() => _web.DisposeAsync();

    public sealed record Seen(string Method, string Target, IReadOnlyDictionary<string, string> Headers, string Body)
    {
        public string? Header(string name) => Headers.GetValueOrDefault(name);
    }
}

/// <summary>How one run of cpctl ended and what it printed.</summary>
sealed record CliRun(int Exit, string Out, string Error)
{
    public static readonly Guid FirstId = new("00000000-0000-0000-0000-000000000001");

    public static Task<CliRun> Of(params string[] args) => Of(args, world => world);

    public static async Task<CliRun> Of(string[] args, Func<Surroundings, Surroundings> with, CancellationToken stop = default)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var ids = 0;
        var exit = await Cpctl.Run(args, with(new Surroundings
        {
            Out = output,
            Error = error,
            NewId = () => new Guid(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte)Interlocked.Increment(ref ids)),
            Chance = () => 0,
            WorkingDirectory = Path.Combine(AppContext.BaseDirectory, "nothing-here"),
            HomeDirectory = Path.Combine(AppContext.BaseDirectory, "nobody-here"),
        }), stop);
        return new CliRun(exit, output.ToString(), error.ToString());
    }
}
