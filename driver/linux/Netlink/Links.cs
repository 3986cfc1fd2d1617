namespace ControlPlane.DriverLinux;

/// <summary>The links of one namespace: look up, add, change, delete. Absence is an answer, not an error.</summary>
sealed class Links(NetlinkSocket socket) : IDisposable
{
    public static Links Open(string networkNamespace) => new(NetlinkSocket.Open(networkNamespace));

    public LinkInfo? Find(string name) => One(LinkMessages.Get(name));

    public LinkInfo? Find(int index) => One(LinkMessages.Get(index));

    public LinkInfo Need(string name) => Find(name) ?? throw new KernelException(19, "get link " + name);

    /// <summary>All links, or those on one bridge.</summary>
    public List<LinkInfo> All(int master = 0)
    {
        var found = socket.Collect(() => LinkMessages.All(master), bytes => LinkMessages.Read(bytes));

        // A kernel without the filter answers with everything.
        return master == 0 ? found : [.. found.Where(link => link.Master == master)];
    }

    public LinkInfo EnsureBridge(string name, bool silent = false)
    {
        if (Find(name) is not { } bridge)
        {
            Unless(error => error.Exists, LinkMessages.AddBridge(name, silent));
            bridge = Need(name);
        }

        return bridge.Kind == "bridge"
            ? bridge
            : throw new KernelException(17, $"{name} is not a bridge but a {bridge.Kind}");
    }

    public LinkInfo AddVeth(string name, VethPeer peer, int mtu)
    {
        socket.Request(LinkMessages.AddVeth(name, peer, mtu));
        return Need(name);
    }

    public void Change(LinkInfo link, LinkChange change) => socket.Request(LinkMessages.Change(link, change));

    public void Isolate(LinkInfo port) => socket.Request(LinkMessages.Isolate(port));

    public void Delete(LinkInfo link) => Unless(error => error.NoSuchDevice, LinkMessages.Delete(link));

    /// <summary>
    /// One request for many devices: each single deletion waits for the kernel's readers, about 20 ms.
    /// </summary>
    public void DeleteGroup(int group) => Unless(error => error.NoSuchDevice, LinkMessages.DeleteGroup(group));

    public void AddAddress(LinkInfo link, byte[] address, byte prefixLength) =>
        Unless(error => error.Exists, LinkMessages.AddAddress(link, address, prefixLength));

    public void Dispose() => socket.Dispose();

    LinkInfo? One(NetlinkMessage get)
    {
        LinkInfo? found = null;
        try
        {
            socket.Exchange(get, bytes => found = LinkMessages.Read(bytes));
        }
        catch (KernelException error) when (error.NoSuchDevice)
        {
            return null;
        }

        return found;
    }

    void Unless(Func<KernelException, bool> harmless, NetlinkMessage request)
    {
        try
        {
            socket.Request(request);
        }
        catch (KernelException error) when (harmless(error))
        {
            // Already as wanted.
        }
    }
}
