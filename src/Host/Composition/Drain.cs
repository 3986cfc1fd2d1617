namespace ControlPlane.Host.Composition;

/// <summary>When the node stops, requests under way get so long to end; then their connections are closed.</summary>
sealed class Drain : IDisposable
{
    static readonly TimeSpan RequestsMax = TimeSpan.FromSeconds(2);

    readonly CancellationTokenSource _over;
    readonly CancellationTokenRegistration _stopping;

    public Drain(IHostApplicationLifetime life, TimeProvider time)
    {
        _over = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _stopping = life.ApplicationStopping.Register(() => _over.CancelAfter(RequestsMax));
    }

    public async Task Bound(HttpContext http, RequestDelegate next)
    {
        using var abort = _over.Token.Register(http.Abort);
        await next(http);
    }

    public void Dispose()
    {
        _stopping.Dispose();
        _over.Dispose();
    }
}
